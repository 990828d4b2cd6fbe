"""What is looked at in the answers of a served model, whoever serves it."""

import json
import math
from dataclasses import dataclass
from typing import Any, Callable, List, Sequence, Tuple

from esteira.serving.probe import Probe, ask
from esteira.serving.recorded import OUTPUTS, Recorded, Row, are_rows

TOLERANCE = 1e-4
ODD_TEXTS = {
    "an empty text": "",
    "white space": " \t\n ",
    "texts beyond ASCII": "Ação e emoção, já! 🎉👩‍👩‍👧 «ñandú» 電影 مرحبا e\u0301",
    "a text of 100,000 characters": ("Ação e emoção, já! 🎉 good, bad " * 3300)[:100_000],
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what it is, what was expected and what was seen."""

    name: str
    passed: bool
    expected: str
    observed: str


def compared(name: str, expected: Any, observed: Any) -> Check:
    return Check(name, expected == observed, in_json(expected), in_json(observed))


def in_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def check_recorded(recorded: Recorded, served: Sequence[Any]) -> List[Check]:
    """Compare answers with those at training; each of these checks names the first text at fault.

    One that has not the outputs of our models is the last that is looked at.
    """
    count = compared("number of predictions", len(recorded.predictions), len(served))
    odd = [row for row in served if not is_prediction(row)]
    outputs = ", ".join(sorted(OUTPUTS))
    complete = Check("outputs of each prediction", not odd, outputs, in_json(odd[0])[:200] if odd else outputs)
    if odd:
        return [count, complete]
    pairs = list(zip(recorded.predictions, served))
    return [
        count,
        complete,
        first_fault("labels as at training", recorded, pairs, fault_of_label),
        first_fault("probabilities as at training", recorded, pairs, fault_of_probabilities),
        first_fault(
            "label, confidence and probabilities agree",
            recorded,
            pairs,
            lambda _, row: fault_within(row, recorded.labels),
        ),
    ]


def check_alone(probe: Probe, recorded: Recorded, served: Sequence[Row]) -> Check:
    """Ask each text by itself: it must be answered as it was among others."""
    pairs = [(row, ask(probe, [instance])[0]) for instance, row in zip(recorded.instances, served)]
    return first_fault("one by one as in a batch", recorded, pairs, fault_of_prediction)


# (expected, served) -> (expected, observed) if they differ, else ().
FindFault = Callable[[Row, Any], Tuple[str, ...]]


def first_fault(name: str, recorded: Recorded, pairs: Sequence[Tuple[Any, Any]], find: FindFault) -> Check:
    for instance, (expected, observed) in zip(recorded.instances, pairs):
        fault = find(expected, observed)
        if fault:
            return Check(f"{name} for {in_json(instance['text'][:60])}", False, *fault)
    return Check(name, True, "no difference", f"none in {len(pairs)} texts")


def fault_of_label(recorded: Row, served: Row) -> Tuple[str, ...]:
    return () if recorded["label"] == served["label"] else (str(recorded["label"]), str(served["label"]))


def fault_of_probabilities(recorded: Row, served: Row) -> Tuple[str, ...]:
    expected = [*recorded["probabilities"], recorded["confidence"]]
    observed = [*served["probabilities"], served["confidence"]]
    if len(expected) == len(observed) and all(close(one, two) for one, two in zip(expected, observed)):
        return ()
    return f"{shown(recorded['probabilities'])} within {TOLERANCE}", shown(served["probabilities"])


def fault_of_prediction(expected: Row, served: Any) -> Tuple[str, ...]:
    if not is_prediction(served):
        return in_json(expected)[:200], in_json(served)[:200]
    return fault_of_probabilities(expected, served)


def is_prediction(row: Any) -> bool:
    """True for an object with the outputs of our models, so that they can be compared."""
    if not are_rows([row], OUTPUTS) or not isinstance(row["probabilities"], list):
        return False
    numbers = [*row["probabilities"], row["confidence"]]
    return len(numbers) > 1 and all(type(number) in (int, float) for number in numbers)


def fault_within(row: Row, labels: Sequence[str]) -> Tuple[str, ...]:
    """Return what in one prediction contradicts the rest of it."""
    probabilities = row["probabilities"]
    if len(probabilities) != len(labels):
        return f"{len(labels)} probabilities", str(len(probabilities))
    if not close(sum(probabilities), 1):
        return "probabilities that sum to 1", shown(probabilities)
    if not close(max(probabilities), row["confidence"]):
        return f"the confidence {max(probabilities):.5f}", str(row["confidence"])
    likely = [label for label, value in zip(labels, probabilities) if close(value, max(probabilities))]
    return () if row["label"] in likely else (f"the label {' or '.join(likely)}", row["label"])


def close(one: float, two: float) -> bool:
    return math.isclose(one, two, rel_tol=0, abs_tol=TOLERANCE)


def shown(probabilities: Sequence[float]) -> str:
    return "[" + ", ".join(f"{value:.5f}" for value in probabilities) + "]"


def check_odd_texts(probe: Probe, labels: Sequence[str]) -> List[Check]:
    """Ask about texts that a model must get over: each is answered with a sound prediction."""
    return [check_odd_text(probe, name, text, labels) for name, text in ODD_TEXTS.items()]


def check_odd_text(probe: Probe, name: str, text: str, labels: Sequence[str]) -> Check:
    row = ask(probe, [{"text": text}])[0]
    if not is_prediction(row):
        return Check(name, False, "a sound prediction", in_json(row)[:200])
    fault = fault_within(row, labels)
    observed = f"expected {fault[0]}, got {fault[1]}" if fault else f"{row['label']}, {row['confidence']:.3f}"
    return Check(name, not fault, "a sound prediction", observed)
