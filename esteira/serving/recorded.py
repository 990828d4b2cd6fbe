"""What the model itself said of some texts at training, which lies beside it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, List

from esteira.errors import ServingError
from esteira.release.store.interface import Store
from esteira.serving.interface import Interface
from esteira.serving.saved_interfaces import saved_interfaces
from esteira.serving.saved_model import AGAIN, ASSETS, read_json_object, read_labels

INPUTS = {"text": "DT_STRING"}
OUTPUTS = {"confidence": "DT_FLOAT", "label": "DT_STRING", "probabilities": "DT_FLOAT"}
LABELS = "labels.json"
SMOKE = "smoke.json"
MODEL_FILE = "saved_model.pb"

Row = Dict[str, Any]


@dataclass(frozen=True)
class Recorded:
    """What the model itself said at training, and the names of its classes."""

    labels: List[str]
    instances: List[Dict[str, str]]
    predictions: List[Dict[str, Any]]


def read_recorded(model_dir: Path) -> Recorded:
    """Return the labels and the answers that the Trainer recorded. Raises ServingError."""
    folder = model_dir / ASSETS
    labels = read_labels(model_dir)
    if labels is None:
        raise ServingError(f"{folder / LABELS}: is missing.\n{AGAIN}")
    return make_recorded(labels, read_json_object(folder / SMOKE), str(folder))


def stored_recorded(store: Store, prefix: str) -> Recorded:
    """Return the same of a model that lies under a prefix of the store. Raises ServingError."""
    folder, smoke = f"{store.uri}/{prefix}/{ASSETS}", stored_object(store, f"{prefix}/{ASSETS}/{SMOKE}")
    return make_recorded(stored_labels(store, prefix), smoke, folder)


def stored_labels(store: Store, prefix: str) -> List[str]:
    """Return the names of the classes of a model that lies under a prefix of the store. Raises ServingError."""
    name = f"{prefix}/{ASSETS}/{LABELS}"
    labels = stored_object(store, name).get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        expected = 'expected {"labels": [...]} with the names of the classes'
        raise ServingError(f"{store.uri}/{name}: {expected}.\n{AGAIN}")
    return labels


def stored_interfaces(store: Store, prefix: str) -> Dict[str, Interface]:
    """Return the signatures of a model that lies under a prefix of the store. Raises ServingError."""
    name = f"{prefix}/{MODEL_FILE}"
    stored = store.read(name)
    if stored is None:
        raise ServingError(f"{store.uri}/{name}: is missing.\n{AGAIN}")
    return saved_interfaces(stored.content, f"{store.uri}/{name}")


def read_saved_interfaces(model_dir: Path) -> Dict[str, Interface]:
    """Return the signatures of a model in a folder. Raises ServingError."""
    path = model_dir / MODEL_FILE
    try:
        return saved_interfaces(path.read_bytes(), str(path))
    except OSError as error:
        raise ServingError(f"{path}: cannot be read: {error.strerror}.\n{AGAIN}") from None


def stored_object(store: Store, name: str) -> Dict[str, Any]:
    """Return the JSON object that lies in the store. Raises ServingError."""
    stored = store.read(name)
    if stored is None:
        raise ServingError(f"{store.uri}/{name}: is missing.\n{AGAIN}")
    try:
        value = json.loads(stored.content.decode("utf-8"))
    except ValueError as error:
        raise ServingError(f"{store.uri}/{name}: is not JSON: {error}.\n{AGAIN}") from None
    if not isinstance(value, dict):
        raise ServingError(f"{store.uri}/{name}: expected a JSON object.\n{AGAIN}")
    return value


def make_recorded(labels: List[str], smoke: Dict[str, Any], folder: str) -> Recorded:
    instances, predictions = smoke.get("instances"), smoke.get("predictions")
    if not are_rows(instances, INPUTS) or not are_rows(predictions, OUTPUTS):
        raise ServingError(
            f"{folder}/{SMOKE}: expected a list of instances with text, and one of predictions "
            f"with confidence, label and probabilities.\n{AGAIN}"
        )
    return Recorded(labels, instances or [], predictions or [])


def are_rows(value: Any, keys: Iterable[str]) -> bool:
    """True for a list, not empty, of objects that have these keys."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(row, dict) and set(keys) <= set(row) for row in value)
