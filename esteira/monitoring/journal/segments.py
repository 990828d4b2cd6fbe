"""The files of the journal: one writer each, which holds its lock, so that a killed one's can be told.

Names begin with the time, so that they sort as they were made, and are never used again.
"""

import fcntl
import os
import secrets
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, NamedTuple, Tuple

JOURNAL = "journal"
ENDING = ".journal"
# A segment that is being made; nobody reads it.
BEGINNING = ".new-"


class Segment(NamedTuple):
    """A segment that is open for reading: `is_live` while another process may write to it."""

    path: Path
    handle: int
    is_live: bool


def make_segment(folder: Path) -> int:
    """Make a segment that the caller holds until it closes the handle, which appends. Raises OSError."""
    name = f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}{ENDING}"
    beginning = folder / f"{BEGINNING}{name}"
    handle = os.open(beginning, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        # Named once it is held: what has the name and is not held has no writer any more.
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.rename(beginning, folder / name)
    except BaseException:
        os.close(handle)
        raise
    return handle


def list_segments(folder: Path) -> List[Path]:
    """Return the segments of a journal, the oldest first."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names) if name.endswith(ENDING) and not name.startswith(BEGINNING)]


def writers(folder: Path) -> Iterator[Tuple[Path, str]]:
    """Yield the segments that a process writes to, and its id as it was when it made them. Raises OSError."""
    for path in list_segments(folder):
        try:
            with opened_segment(path) as segment:
                is_live = segment.is_live
        except FileNotFoundError:
            # Loaded and removed meanwhile.
            continue
        if is_live:
            yield path, path.name.split("-")[1]


@contextmanager
def opened_segment(path: Path) -> Iterator[Segment]:
    """Open a segment. One that is not live stays so, and what it holds by then is all that it ever will."""
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield Segment(path, handle, is_held(handle))
    finally:
        os.close(handle)


def is_held(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True


def remove_segments(folder: Path, paths: List[Path]) -> None:
    """Remove segments so that not even a power cut brings them back."""
    for path in paths:
        path.unlink()
    if paths:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_beginnings(folder: Path) -> None:
    """Remove what is left of segments whose writers were killed while they made them; nothing is in them."""
    for path in folder.glob(f"{BEGINNING}*"):
        try:
            remove_beginning(path)
        except FileNotFoundError:
            # Its writer has just given it its name.
            continue


def remove_beginning(path: Path) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        if time.time() - os.fstat(handle).st_mtime > 60 and not is_held(handle):
            path.unlink()
    finally:
        os.close(handle)


def blank(segment: Segment, size_bytes: int) -> None:
    """Overwrite the beginning of a segment with zeros, while its writer goes on at the end."""
    zeros = bytes(1 << 20)
    for start in range(0, size_bytes, len(zeros)):
        os.pwrite(segment.handle, zeros[: size_bytes - start], start)
    os.fsync(segment.handle)
