"""The smoke test: is the model that is served the model that was trained?"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Sequence, Tuple

from esteira.errors import ServingError
from esteira.serving.client import Client, model_path
from esteira.serving.running import running_server
from esteira.serving.saved_model import (
    AGAIN,
    ASSETS,
    check_model_dir,
    model_version,
    read_json_object,
    read_labels,
)
from esteira.settings import Settings

TOLERANCE = 1e-4
INPUTS = {"text": "DT_STRING"}
OUTPUTS = {"confidence": "DT_FLOAT", "label": "DT_STRING", "probabilities": "DT_FLOAT"}
ODD_TEXTS = ("", "Ação e emoção, já! 🎉👩‍👩‍👧 «ñandú» 電影 " * 200)
MALFORMED = b'{"instances": [{"text": 1}'


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what it is, what was expected and what was seen."""

    name: str
    passed: bool
    expected: str
    observed: str


@dataclass(frozen=True)
class SmokeResult:
    """All checks; every one passed, else smoke_test would have raised."""

    checks: Tuple[Check, ...]

    @property
    def failed(self) -> List[Check]:
        return [check for check in self.checks if not check.passed]


@dataclass(frozen=True)
class Recorded:
    """What the model itself said at training, and the names of its classes."""

    labels: List[str]
    instances: List[Dict[str, str]]
    predictions: List[Dict[str, Any]]


def smoke_test(model_dir: Path, *, settings: Settings) -> SmokeResult:
    """Serve the model in a process of its own, ask it over HTTP, and return the checks.

    Raises ServingError that lists each failed check, or if the server does not start.
    """
    check_model_dir(model_dir)
    recorded = read_recorded(model_dir)
    name = settings.pipeline.name
    with running_server(model_dir, name=name, max_batch=settings.serving.max_batch) as url:
        result = check_server(url, name, model_version(model_dir), recorded)
    if result.failed:
        told = "\n".join(
            f"- {check.name}: expected {check.expected}, got {check.observed}" for check in result.failed
        )
        counts = f"{len(result.failed)} of {len(result.checks)} checks"
        raise ServingError(
            f"{model_dir}: the smoke test failed in {counts}:\n{told}\n"
            "The model answers otherwise than at training. Look at modules/, then: make deploy-full"
        )
    return result


def read_recorded(model_dir: Path) -> Recorded:
    """Return the labels and the answers that the Trainer recorded. Raises ServingError."""
    folder = model_dir / ASSETS
    labels = read_labels(model_dir)
    if labels is None:
        raise ServingError(f"{folder / 'labels.json'}: is missing.\n{AGAIN}")
    smoke = read_json_object(folder / "smoke.json")
    instances, predictions = smoke.get("instances"), smoke.get("predictions")
    if not are_rows(instances, INPUTS) or not are_rows(predictions, OUTPUTS):
        raise ServingError(
            f"{folder / 'smoke.json'}: expected a list of instances with text, and one of predictions "
            f"with confidence, label and probabilities.\n{AGAIN}"
        )
    return Recorded(labels, instances, predictions)


def are_rows(value: Any, keys: Iterable[str]) -> bool:
    """True for a list, not empty, of objects that have these keys."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(row, dict) and set(keys) <= set(row) for row in value)


def check_server(url: str, name: str, version: int, recorded: Recorded) -> SmokeResult:
    """Return the checks of the server at `url`, passed or not."""
    with Client(url) as client:
        path = model_path(name)
        checks = [check_status(client, path, version)]
        checks += check_signature(client, path)
        # What follows reads the outputs by name.
        if not all(check.passed for check in checks):
            return SmokeResult(tuple(checks))
        checks += check_recorded(client, path, recorded)
        checks.append(check_odd_texts(client, path, recorded.labels))
        checks.append(check_malformed(client, path))
    return SmokeResult(tuple(checks))


def check_status(client: Client, path: str, version: int) -> Check:
    body = client.fetch("GET", path)
    seen = [f"{entry['version']} {entry['state']}" for entry in body["model_version_status"]]
    return compared("version and state", [f"{version} AVAILABLE"], seen)


def check_signature(client: Client, path: str) -> List[Check]:
    metadata = client.fetch("GET", f"{path}/metadata")["metadata"]
    signature = metadata["signature_def"]["signature_def"]["serving_default"]
    return [
        compared("inputs of serving_default", INPUTS, dtypes_of(signature["inputs"])),
        compared("outputs of serving_default", OUTPUTS, dtypes_of(signature["outputs"])),
    ]


def dtypes_of(tensors: Dict[str, Any]) -> Dict[str, str]:
    return {name: tensor["dtype"] for name, tensor in sorted(tensors.items())}


def compared(name: str, expected: Any, observed: Any) -> Check:
    return Check(name, expected == observed, json.dumps(expected), json.dumps(observed))


def check_recorded(client: Client, path: str, recorded: Recorded) -> List[Check]:
    """Compare with the answers at training; each of these checks names the first text at fault."""
    served = ask(client, path, recorded.instances)
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


def ask(client: Client, path: str, instances: Sequence[Dict[str, str]]) -> List[Dict[str, Any]]:
    body = json.dumps({"instances": instances}).encode("ascii")
    rows: List[Dict[str, Any]] = client.fetch("POST", f"{path}:predict", body)["predictions"]
    return rows


# (recorded, served) -> (expected, observed) if they differ, else ().
FindFault = Callable[[Dict[str, Any], Dict[str, Any]], Tuple[str, ...]]


def first_fault(name: str, recorded: Recorded, pairs: Sequence[Tuple[Any, Any]], find: FindFault) -> Check:
    for instance, (expected, observed) in zip(recorded.instances, pairs):
        fault = find(expected, observed)
        if fault:
            return Check(f"{name} for {json.dumps(instance['text'][:60], ensure_ascii=False)}", False, *fault)
    return Check(name, True, "no difference", f"none in {len(pairs)} texts")


def fault_of_label(recorded: Dict[str, Any], served: Dict[str, Any]) -> Tuple[str, ...]:
    return () if recorded["label"] == served["label"] else (str(recorded["label"]), str(served["label"]))


def fault_of_probabilities(recorded: Dict[str, Any], served: Dict[str, Any]) -> Tuple[str, ...]:
    expected = [*recorded["probabilities"], recorded["confidence"]]
    observed = [*served["probabilities"], served["confidence"]]
    if len(expected) == len(observed) and all(close(one, two) for one, two in zip(expected, observed)):
        return ()
    return f"{shown(recorded['probabilities'])} within {TOLERANCE}", shown(served["probabilities"])


def fault_within(row: Dict[str, Any], labels: Sequence[str]) -> Tuple[str, ...]:
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


def check_odd_texts(client: Client, path: str, labels: Sequence[str]) -> Check:
    served = ask(client, path, [{"text": text} for text in ODD_TEXTS])
    faults = [": ".join(fault) for fault in (fault_within(row, labels) for row in served) if fault]
    return Check(
        "an empty and a long text", not faults, "two sound predictions", "; ".join(faults) or str(len(served))
    )


def check_malformed(client: Client, path: str) -> Check:
    answer = client.ask("POST", f"{path}:predict", MALFORMED)
    return compared("status for a malformed body", 400, answer.status)
