"""One process at a time in the warehouse of this machine."""

import fcntl
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from esteira.errors import WarehouseError

PAUSE_S = 0.05


@contextmanager
def held(folder: Path, wait_s: float) -> Iterator[None]:
    """Hold a folder's lock; wait for whoever has it. Raises WarehouseError after `wait_s`.

    The kernel frees it when the process ends.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        wait_for(handle, folder, wait_s)
        yield
    finally:
        os.close(handle)


def wait_for(handle: int, folder: Path, wait_s: float) -> None:
    deadline_s = time.monotonic() + wait_s
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline_s:
                raise WarehouseError(
                    f"{folder}: another command has had the request log for {wait_s:g} s.\n"
                    f"Expected it to end. See which one it is: lsof {folder}    Then run this one again."
                ) from None
            time.sleep(PAUSE_S)
