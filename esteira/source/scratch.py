"""Folders in the state folder for objects that the user's repository is to be spared."""

from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from esteira.cache import scratch_in
from esteira.files import write_text

FOLDER = "sources"


@contextmanager
def scratch_folder(root: Path, state: Path) -> Iterator[Path]:
    """Make a folder below <state>/sources and remove it at the end, with what killed processes left there."""
    keep_out_of_git(root, state)
    with scratch_in(state, FOLDER) as folder:
        yield folder


def keep_out_of_git(root: Path, state: Path) -> None:
    """Have git ignore a state folder in the repository, so that it makes no working tree dirty."""
    ignored = state / ".gitignore"
    if root in state.parents and not ignored.exists():
        write_text(ignored, "*\n")
