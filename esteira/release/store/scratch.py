"""The corner `.new` of a folder's store, where things are made before they are renamed into place.

It is locked while the store changes. What a killed writer left in it is removed by the next one: each
folder in it is locked by its writer for as long as that lives.
"""

import fcntl
import os
import secrets
import shlex
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from esteira.errors import StateError
from esteira.locks import is_locked, take_folder
from esteira.release.store.names import NEW

OBJECT = "object"
# Others hold the lock for as long as one object is written, or many are removed.
PATIENCE_S = 60
POLL_S = 0.005


class Scratch:
    """The scratch corner of the store at `store`."""

    def __init__(self, store: Path) -> None:
        self._corner = store / NEW

    @property
    def file(self) -> Path:
        """Where the one who holds the lock writes an object."""
        return self._corner / OBJECT

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all other writers out, in this process and in others.

        Raises StateError if one of them does not go on, as a process that was stopped.
        """
        self._corner.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._corner, os.O_RDONLY)
        try:
            take_lock(handle, self._corner)
            yield
        finally:
            # By word: a child that was forked meanwhile has the handle too, and would keep the lock.
            fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Make an empty folder of one's own; what is left of it in the end is removed."""
        with self.locked():
            self._sweep()
            made = self._corner / secrets.token_hex(8)
            made.mkdir()
            handle = take_folder(made)
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
            os.close(handle)

    def _sweep(self) -> None:
        for path in self._corner.iterdir():
            if path.is_dir() and not is_locked(path):
                shutil.rmtree(path, ignore_errors=True)


def take_lock(handle: int, folder: Path) -> None:
    limit_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= limit_s:
                raise StateError(
                    f"{folder}: another process holds it for over {PATIENCE_S} s. Expected a moment. "
                    f"See which one, and let it go on or end it: fuser -v {shlex.quote(str(folder))}"
                ) from None
            time.sleep(POLL_S)
