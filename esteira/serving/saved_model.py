"""The folder of a SavedModel, read without TensorFlow."""

import json
from pathlib import Path
from typing import Any, List, Optional

from esteira.errors import ServingError

# TensorFlow keeps what it does not know itself under this name.
ASSETS = "assets.extra"
AGAIN = "To push a complete model: make deploy-full"


def check_model_dir(model_dir: Path) -> None:
    """Raise ServingError unless the folder holds a SavedModel."""
    if not model_dir.is_dir():
        raise ServingError(
            f"{model_dir}: no such folder.\nExpected a SavedModel's folder. To push one: make deploy-full"
        )
    if not (model_dir / "saved_model.pb").is_file():
        raise ServingError(
            f"{model_dir}: is no SavedModel, it holds no saved_model.pb.\n"
            "Expected the folder that the pipeline pushed. To push one: make deploy-full"
        )


def model_version(model_dir: Path) -> int:
    """Return the version: the folder's name where that is a number, as the Pusher gives it, else 1."""
    name = model_dir.name
    return int(name) if name.isascii() and name.isdigit() else 1


def read_labels(model_dir: Path) -> Optional[List[str]]:
    """Return the classes in the order of the probabilities, None if the model names none.

    Raises ServingError if the file is there and holds something else.
    """
    path = model_dir / ASSETS / "labels.json"
    if not path.exists():
        return None
    labels = read_json_object(path).get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ServingError(f'{path}: expected {{"labels": [...]}} with the names of the classes.\n{AGAIN}')
    return labels


def read_json_object(path: Path) -> Any:
    """Return the JSON object in a file. Raises ServingError."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ServingError(f"{path}: cannot be read: {error.strerror}.\n{AGAIN}") from None
    except ValueError as error:
        raise ServingError(f"{path}: is not JSON: {error}.\n{AGAIN}") from None
    if not isinstance(value, dict):
        raise ServingError(f"{path}: expected a JSON object.\n{AGAIN}")
    return value
