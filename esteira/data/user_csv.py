"""The CSV that a deploy trains on, where it is not the default data."""

import os
from pathlib import Path
from typing import Optional

from esteira.errors import DataError
from esteira.settings import Settings


def find_csv(settings: Settings) -> Optional[Path]:
    """Return the absolute path of data.file, None for the default data; DataError if no file is there."""
    name = settings.data.file
    if not name:
        return None
    path = settings.root / os.path.expanduser(name)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise DataError(f"data.file: {name}: {what}. Expected the path of a CSV, as in DATA=file.csv")
    return path
