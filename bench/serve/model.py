"""The model that is asked: a folder, or what is released on this machine."""

import os
from pathlib import Path
from typing import Optional

from esteira.errors import EsteiraError
from esteira.release.served import served_model
from esteira.settings import load_settings

REPOSITORY = Path(__file__).resolve().parents[2]
NEEDED = ("saved_model.pb", "assets.extra/smoke.json", "assets.extra/labels.json")


def find_model(given: Optional[Path]) -> Path:
    """Return the folder that is given, else that of the current release here; SystemExit if there is none."""
    if given is None:
        try:
            given = served_model(load_settings(REPOSITORY, os.environ, {}))
        except EsteiraError as error:
            raise SystemExit(f"{error}\nOr give a model's folder: python -m bench.serve FOLDER") from None
    missing = [name for name in NEEDED if not (given / name).is_file()]
    if missing:
        raise SystemExit(f"{given}: has no {missing[0]}. Expected the folder of a model that a deploy pushed.")
    return given.resolve()
