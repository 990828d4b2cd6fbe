"""Folders for what can be had again: the user's cache, for all clones, else the state folder."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, Mapping

from esteira.files import telling_os_errors
from esteira.locks import is_locked, locked, take_folder
from esteira.release.digest import digest_file


def cache_folders(name: str, state: Path, environ: Mapping[str, str]) -> List[Path]:
    """Return where a kind of thing is kept: in the user's cache, for all clones, then in the state folder.

    https://specifications.freedesktop.org/basedir-spec: a relative XDG_CACHE_HOME is invalid.
    """
    folders = [state / name]
    cache = environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(cache):
        folders.insert(0, Path(cache) / "esteira" / name)
    elif os.path.isabs(environ.get("HOME", "")):
        folders.insert(0, Path(environ["HOME"]) / ".cache" / "esteira" / name)
    return folders


def first_writable(folders: List[Path]) -> Path:
    """Return the first folder that can be made and written to; the last if none can."""
    for folder in folders[:-1]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return folders[-1]


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    return digest_file(path).partition(":")[2]


@contextmanager
def scratch_in(folder: Path, name: str = "scratch") -> Iterator[Path]:
    """Make a folder below <folder>/<name> and remove it at the end, with what killed processes left there."""
    parent = folder / name
    with telling_os_errors("make a folder", parent):
        parent.mkdir(parents=True, exist_ok=True)
        with locked(parent):
            for left in parent.iterdir():
                if not is_locked(left):
                    shutil.rmtree(left, ignore_errors=True)
            made = Path(tempfile.mkdtemp(dir=parent))
            lock = take_folder(made)
    try:
        yield made
    finally:
        os.close(lock)
        shutil.rmtree(made, ignore_errors=True)
