"""What the model was asked when it was made, and answered: smoke.json beside it, which training writes."""

import json
from pathlib import Path
from typing import Any, List, NamedTuple


class Recorded(NamedTuple):
    """Texts of the evaluation split, each with its prediction, and the classes in the order of the probabilities."""

    texts: List[str]
    predictions: List[Any]
    labels: List[str]


def read_recorded(model_dir: Path) -> Recorded:
    """Raises OSError if the model has none: it is none of modules/ then."""
    folder = model_dir / "assets.extra"
    smoke = json.loads((folder / "smoke.json").read_text(encoding="utf-8"))
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))["labels"]
    return Recorded([instance["text"] for instance in smoke["instances"]], smoke["predictions"], labels)
