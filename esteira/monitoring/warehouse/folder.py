"""The folder that the request log of one machine lies in: nobody else looks into it."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from esteira.errors import WarehouseError


def private_folder(folder: Path) -> Path:
    """Make a folder that only its user can look into, where it is not there, and return it. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a WarehouseError that names the place."""
    try:
        yield
    except OSError as error:
        raise unusable(Path(error.filename or folder), error.strerror or str(error), folder) from error


def unusable(path: Path, reason: str, folder: Path) -> WarehouseError:
    return WarehouseError(
        f"{path}: the request log cannot be used: {reason}.\n"
        f"Expected a folder of one's own with free space. Free some, or see whose it is: ls -la {folder}"
    )


@contextmanager
def private_files() -> Iterator[None]:
    """Have what is made meanwhile be nobody else's to read."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
