"""Which packages share a layer: large ones have one each, small ones are spread over a few by their names.

So a new version of a package makes one layer anew, mostly a small one, and moves no other package.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Tuple

LARGE_BYTES = 4 << 20
SMALL_LAYERS = 32


@dataclass(frozen=True)
class WheelFile:
    """A wheel at hand: the package's name as the lock has it, where it lies, and its hash."""

    name: str
    version: str
    sha256: str
    path: Path
    size_bytes: int


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
