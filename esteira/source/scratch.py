"""Folders in the state folder for objects that the user's repository is to be spared."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from esteira.files import telling_os_errors, write_text
from esteira.locks import is_locked, locked, take_folder

FOLDER = "sources"


@contextmanager
def scratch_folder(root: Path, state: Path) -> Iterator[Path]:
    """Make a folder below <state>/sources and remove it at the end, with what killed processes left there."""
    parent = state / FOLDER
    with telling_os_errors("make a folder", parent):
        parent.mkdir(parents=True, exist_ok=True)
        keep_out_of_git(root, state)
        with locked(parent):
            for folder in parent.iterdir():
                if not is_locked(folder):
                    shutil.rmtree(folder, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(dir=parent))
            lock = take_folder(folder)
    try:
        yield folder
    finally:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def keep_out_of_git(root: Path, state: Path) -> None:
    """Have git ignore a state folder in the repository, so that it makes no working tree dirty."""
    ignored = state / ".gitignore"
    if root in state.parents and not ignored.exists():
        write_text(ignored, "*\n")
