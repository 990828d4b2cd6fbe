"""Folders that a running process holds, so that they can be told from what a killed one left behind."""

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator


def take_folder(folder: Path) -> int:
    """Return a handle that holds the lock of a folder that one has just made, until it is closed."""
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


@contextmanager
def locked(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a folder's lock, waiting for whoever has it; `shared` with others who do so, too.

    The kernel frees it when the process ends.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        # By word: a child that was forked meanwhile has the handle too, and would keep the lock.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def is_locked(folder: Path) -> bool:
    """Return whether a process holds a folder: not if it is removed meanwhile; another user's private one is held."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
