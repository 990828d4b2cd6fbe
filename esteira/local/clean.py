"""Removing what the environment `local` and the steps of builds left behind."""

import shutil
from pathlib import Path
from typing import List

from esteira.files import telling_os_errors
from esteira.settings import Settings


def clean_state(settings: Settings) -> List[Path]:
    """Remove the state folder and build/; return those that were there."""
    found = [path for path in (settings.state, settings.root / "build") if path.is_dir()]
    for path in found:
        with telling_os_errors("remove", path):
            shutil.rmtree(path)
    return found
