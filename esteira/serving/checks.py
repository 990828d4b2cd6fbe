"""What is looked at in the answers of a served model, whoever serves it."""

import json
import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Sequence, Tuple

from esteira.serving.recorded import OUTPUTS, Recorded, are_rows

TOLERANCE = 1e-4
ODD_TEXTS = ("", "Ação e emoção, já! 🎉👩‍👩‍👧 «ñandú» 電影 " * 200)
MALFORMED = b'{"instances": [{"text": 1}'

Row = Dict[str, Any]
# Asks the model: instances -> a prediction for each, or ServingError.
Ask = Callable[[Sequence[Dict[str, str]]], List[Row]]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what it is, what was expected and what was seen."""

    name: str
    passed: bool
    expected: str
    observed: str


def compared(name: str, expected: Any, observed: Any) -> Check:
    return Check(name, expected == observed, json.dumps(expected), json.dumps(observed))


def check_recorded(ask: Ask, recorded: Recorded) -> List[Check]:
    """Compare with the answers at training; each of these checks names the first text at fault."""
    served = ask(recorded.instances)
    labels = recorded.labels
    pairs = list(zip(recorded.predictions, served))
    return [
        compared("number of predictions", len(recorded.predictions), len(served)),
        first_fault("labels as at training", recorded, pairs, fault_of_label),
        first_fault("probabilities as at training", recorded, pairs, fault_of_probabilities),
        first_fault(
            "label, confidence and probabilities agree",
            recorded,
            pairs,
            lambda _, row: fault_within(row, labels),
        ),
    ]


# (recorded, served) -> (expected, observed) if they differ, else ().
FindFault = Callable[[Row, Row], Tuple[str, ...]]


def first_fault(name: str, recorded: Recorded, pairs: Sequence[Tuple[Any, Any]], find: FindFault) -> Check:
    for instance, (expected, observed) in zip(recorded.instances, pairs):
        fault = find(expected, observed)
        if fault:
            return Check(f"{name} for {json.dumps(instance['text'][:60], ensure_ascii=False)}", False, *fault)
    return Check(name, True, "no difference", f"none in {len(pairs)} texts")


def fault_of_label(recorded: Row, served: Row) -> Tuple[str, ...]:
    return () if recorded["label"] == served["label"] else (str(recorded["label"]), str(served["label"]))


def fault_of_probabilities(recorded: Row, served: Row) -> Tuple[str, ...]:
    expected = [*recorded["probabilities"], recorded["confidence"]]
    observed = [*served["probabilities"], served["confidence"]]
    if len(expected) == len(observed) and all(close(one, two) for one, two in zip(expected, observed)):
        return ()
    return f"{shown(recorded['probabilities'])} within {TOLERANCE}", shown(served["probabilities"])


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


def check_odd_texts(ask: Ask, labels: Sequence[str]) -> Check:
    served = ask([{"text": text} for text in ODD_TEXTS])
    faults = [": ".join(fault) for fault in (fault_within(row, labels) for row in served) if fault]
    return Check(
        "an empty and a long text", not faults, "two sound predictions", "; ".join(faults) or str(len(served))
    )
