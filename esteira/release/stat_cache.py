"""Digests of big files, kept as long as stat says that a file is the same.

An entry holds a file's size, inode and both time stamps. One that was changed in the last moments is
not kept: it could be changed again within the clock's grain, unseen, as with git's racy index.
https://git-scm.com/docs/racy-git
"""

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple

from esteira.errors import StateError
from esteira.files import write_text
from esteira.release.digest import digest_file

FILE = "digests.json"
# Above the grain of every file system's time stamps; FAT's is two seconds.
GRAIN_NS = 2_500_000_000

Stat = List[int]


class Entry(NamedTuple):
    """What stat told of a file when its digest was made."""

    stat: Stat
    digest: str


class StatCache:
    """The digests of files by their absolute paths, read from and kept in one file."""

    def __init__(self, path: Path, clock: Callable[[], int] = time.time_ns) -> None:
        self._path = path
        self._clock = clock
        self._entries = read_entries(path)
        self._changed = False

    def digest(self, file: Path) -> str:
        """Return the digest of a file's content, which is read only where stat differs from what is known."""
        name, stat, started_ns = str(file.absolute()), stat_of(file), self._clock()
        known = self._entries.pop(name, None)
        if known and known.stat == stat:
            self._entries[name] = known
            return known.digest
        digest = digest_file(file)
        self._changed = True
        if stat_of(file) == stat and max(stat[2:]) + GRAIN_NS < started_ns:
            self._entries[name] = Entry(stat, digest)
        return digest

    def save(self) -> None:
        """Keep what is known of files that are still there."""
        if self._changed:
            known = {name: entry._asdict() for name, entry in self._entries.items() if os.path.exists(name)}
            # Without a place for it a file is read once more next time, which is no reason to fail.
            with suppress(StateError):
                write_text(self._path, json.dumps(known, indent=1, sort_keys=True) + "\n")


def stat_of(file: Path) -> Stat:
    """Return size, inode, and when content and inode were changed, in nanoseconds."""
    found = file.stat()
    return [found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns]


def read_entries(path: Path) -> Dict[str, Entry]:
    """Return the entries of the file, none if it is missing, damaged or of another version."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return {name: Entry(**entry) for name, entry in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
