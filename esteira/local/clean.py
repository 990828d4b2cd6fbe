"""Removing what the environment `local` and the steps of builds left behind."""

import shutil
from pathlib import Path
from typing import List

from esteira.files import telling_os_errors
from esteira.settings import Settings

# Everything that Esteira puts into a state folder. STATE= may name a folder that holds other things too.
NAMES = (
    *("bucket", "builds", "cloudbuild", "digests.json", "downloads", "history.git", "lineage", "logs"),
    *("metadata.sqlite*", "sources", ".gitignore"),
)


def clean_state(settings: Settings) -> List[Path]:
    """Remove what Esteira made in the state folder, and build/; return what was removed.

    Raises StateError if something cannot be removed, or for an environment in the cloud.
    """
    state = settings.folder.parents[1]
    found = [path for name in NAMES for path in sorted(state.glob(name))]
    found += [path for path in [settings.root / "build"] if path.is_dir()]
    for path in found:
        with telling_os_errors("remove", path):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if state.is_dir() and not any(state.iterdir()):
        state.rmdir()
    return found
