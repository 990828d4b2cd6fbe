"""The corner `.new` of a folder's store, where things are made before they are renamed into place.

It is locked while the store changes. What a killed writer left in it is removed by the next one: each
folder in it is locked by its writer for as long as that lives.
"""

import fcntl
import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from esteira.locks import is_locked, locked
from esteira.release.store.names import NEW

OBJECT = "object"


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
        """Keep all other writers out, in this process and in others."""
        self._corner.mkdir(parents=True, exist_ok=True)
        with locked(self._corner):
            yield

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Make an empty folder of one's own; what is left of it in the end is removed."""
        with self.locked():
            self._sweep()
            made = self._corner / secrets.token_hex(8)
            made.mkdir()
            handle = os.open(made, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
            os.close(handle)

    def _sweep(self) -> None:
        for path in self._corner.iterdir():
            if path.is_dir() and not is_locked(path):
                shutil.rmtree(path, ignore_errors=True)
