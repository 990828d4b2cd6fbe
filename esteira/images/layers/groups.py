"""Which packages share a layer: large ones have one each, small ones are spread over a few by their names.

So a new version of a package makes one layer anew, mostly a small one, and moves no other package.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Sequence, Tuple

LARGE_BYTES = 4 << 20
SMALL_LAYERS = 32


@dataclass(frozen=True)
class WheelFile:
    """A wheel: the package's name as the lock has it, its hash, and where it lies or will once it was fetched."""

    name: str
    version: str
    sha256: str
    path: Path
    size_bytes: int


# Puts those of some wheels that are not here where their paths say.
Fetch = Callable[[Sequence[WheelFile]], None]


def fetch_nothing(wheels: Sequence[WheelFile]) -> None:
    """For wheels that are all here."""


@dataclass(frozen=True)
class WheelSet:
    """The wheels of a lock, and how to fetch those that are needed as files."""

    files: Sequence[WheelFile]
    fetch: Fetch = fetch_nothing


@dataclass(frozen=True)
class Group:
    """The wheels of one layer, by name."""

    name: str
    wheels: Tuple[WheelFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(wheel.size_bytes for wheel in self.wheels)


def group_wheels(wheels: Iterable[WheelFile]) -> List[Group]:
    """Return the groups in an order that does not depend on the wheels': large packages first, by name."""
    large: List[Group] = []
    small: Dict[int, List[WheelFile]] = {}
    for wheel in sorted(wheels, key=lambda wheel: wheel.name):
        if wheel.size_bytes >= LARGE_BYTES:
            large.append(Group(wheel.name, (wheel,)))
        else:
            small.setdefault(bucket_of(wheel.name), []).append(wheel)
    return [*large, *(Group(f"packages {number:02d}", tuple(found)) for number, found in sorted(small.items()))]


def bucket_of(name: str) -> int:
    return int(hashlib.sha256(name.encode("utf-8")).hexdigest(), 16) % SMALL_LAYERS
