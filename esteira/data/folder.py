"""Making a whole folder appear at once, or not at all."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from esteira.errors import StateError
from esteira.files import telling_os_errors

FOLDER_MODE, FILE_MODE = 0o755, 0o644


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder beside `out` that takes its place if the block succeeds.

    A folder that stood there is removed. Files and folders get the modes 0644 and 0755.
    Raises StateError for a full disk, a missing permission, or a file in the way.
    """
    if out.exists() and not out.is_dir():
        raise StateError(f"{out}: is a file. Expected a folder, or nothing. Move it away.")
    with telling_os_errors("write", out):
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
        try:
            yield fresh
            set_modes(fresh)
            replace_folder(fresh, out)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def set_modes(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)


def replace_folder(fresh: Path, out: Path) -> None:
    """Rename `fresh` to `out`; a folder that stands there goes aside first."""
    if not out.exists():
        os.rename(fresh, out)
        return
    aside = fresh.with_name(f"{fresh.name}.old")
    os.rename(out, aside)
    try:
        os.rename(fresh, out)
    except BaseException:
        os.rename(aside, out)
        raise
    shutil.rmtree(aside, ignore_errors=True)
