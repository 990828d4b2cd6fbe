"""The process that carries the journal into the warehouse while a server runs.

python -m esteira.monitoring.warehouse.loader --folder DIR --root DIR [--expiry-days N] --parent-fd N

It gives way to the server: it loads when the journal has stopped growing, when much waits in it, or when something
has waited for long, a batch at a time, so that whoever reads the log waits for no more than that. It needs to do none
of it for the log to be complete, since a reader loads what is left itself.
"""

import argparse
import os
import select
import socket
import sys
import time
from pathlib import Path
from typing import Dict, List, Optional

from esteira.errors import EsteiraError
from esteira.monitoring.journal.segments import list_segments
from esteira.monitoring.warehouse.database import WAIT_S, Place, open_place

LOOK_S = 2.0
# What may wait in the journal: so much, and for so long.
WAITING_BYTES = 256 * 1024 * 1024
WAITING_S = 60.0
# What cannot be loaded is told again each time that so much more waits: it fills the disk.
TOLD_BYTES = 1024**3
BATCH = 50_000
NICENESS = 19

Sizes = Dict[str, int]


class Loader:
    """Decides when there is something to load."""

    def __init__(self, place: Place, *, wait_s: float = WAIT_S) -> None:
        self._place = place
        self._wait_s = wait_s
        self._loaded: Sizes = {}
        self._seen: Sizes = {}
        self._since_s = time.monotonic()
        self._told, self._told_bytes = "", 0

    def look(self) -> bool:
        """Load a batch if it is time to, and return whether there is more to load at once."""
        sizes = segment_sizes(self._place.journal)
        is_quiet, self._seen = sizes == self._seen, sizes
        waiting_bytes = sum(size - self._loaded.get(name, 0) for name, size in sizes.items())
        now_s = time.monotonic()
        if sizes == self._loaded:
            self._since_s = now_s
            return False
        if not is_quiet and waiting_bytes < WAITING_BYTES and now_s - self._since_s < WAITING_S:
            return False
        return self._load(sizes, waiting_bytes)

    def _load(self, sizes: Sizes, waiting_bytes: int) -> bool:
        try:
            with open_place(self._place, wait_s=self._wait_s, limit=BATCH) as warehouse:
                is_more = warehouse.loaded >= BATCH
        except EsteiraError as error:
            # What cannot be loaded now is loaded later, by this process or by a reader.
            self._tell(str(error), waiting_bytes)
            return False
        self._told = ""
        if not is_more:
            here = set(segment_sizes(self._place.journal))
            self._loaded, self._since_s = {name: size for name, size in sizes.items() if name in here}, time.monotonic()
        return is_more

    def _tell(self, error: str, waiting_bytes: int) -> None:
        if error == self._told and waiting_bytes < self._told_bytes + TOLD_BYTES:
            return
        self._told, self._told_bytes = error, waiting_bytes
        told = f"The journal waits to be loaded, {waiting_bytes:,} bytes of it: {error}"
        print(told, file=sys.stderr, flush=True)


def segment_sizes(journal: Path) -> Sizes:
    sizes = {}
    for path in list_segments(journal):
        try:
            sizes[path.name] = path.stat().st_size
        except FileNotFoundError:
            continue
    return sizes


def load_until_closed(place: Place, parent: socket.socket) -> None:
    """Load until the parent closes its end of the socket; it never writes."""
    loader, is_more = Loader(place), False
    while not select.select([parent], [], [], 0.0 if is_more else LOOK_S)[0]:
        is_more = loader.look()


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(description="Load a journal of requests.")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--expiry-days", type=int)
    parser.add_argument("--parent-fd", type=int, required=True, help="a socket of the process that started this one")
    given = parser.parse_args(arguments)
    os.nice(NICENESS)
    with socket.socket(fileno=given.parent_fd) as parent:
        load_until_closed(Place(given.folder, given.root, given.expiry_days), parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
