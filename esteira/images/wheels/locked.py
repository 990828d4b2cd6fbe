"""Reading a lock (requirements.lock) and the wheels that were chosen from it (requirements.wheels).

Sources: https://pip.pypa.io/en/stable/reference/requirements-file-format and, for the names of wheels,
https://packaging.python.org/en/latest/specifications/binary-distribution-format.
"""

import re
from pathlib import Path
from typing import FrozenSet, Iterator, List, NamedTuple, Sequence, Tuple

from esteira.errors import ImageError

ENTRY = re.compile(r"(?P<name>[\w.-]+)(\[[\w.,-]+\])?==(?P<version>[^\s;]+)(?P<hashes>( --hash=\S+)*)$")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})(?!\S)")
WHEEL = re.compile(
    r"(?P<name>[\w.-]+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})"
    r"  # (?P<file>[\w.+!-]+\.whl), (?P<size>[0-9]+) bytes(?:, built from sha256:(?P<source>[0-9a-f]{64}))?$"
)
WHEEL_LINE = "name==version --hash=sha256:<64 hex>  # <file>.whl, <size> bytes"
MAKE_LOCK = "Run: make lock"


class Locked(NamedTuple):
    """A package of the lock, with the hashes of all its distributions, and where it stands (file:line)."""

    name: str
    version: str
    hashes: FrozenSet[str]
    place: str

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


class Wheel(NamedTuple):
    """One wheel of the lock. `source` is the hash of the source distribution that it was built from, else ""."""

    name: str
    version: str
    file: str
    sha256: str
    size_bytes: int
    source: str
    place: str

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


def wheels_of(lock: Path) -> List[Wheel]:
    """Return the wheels of a lock, which stand beside it (x.lock, x.wheels) and must be made from it.

    Raises ImageError with all faults of either file.
    """
    wheels = read_wheels(lock.with_suffix(".wheels"))
    check_wheels(read_lock(lock), wheels, lock)
    return wheels


def read_lock(path: Path) -> List[Locked]:
    """Return the packages of a lock. Raises ImageError with each entry that is unreadable or has no hash."""
    found, faults = [], []
    for number, text in logical_lines(read(path)):
        place = f"{path}:{number}"
        match = ENTRY.match(text)
        hashes = HASH.findall(match["hashes"]) if match else []
        if match is None or len(hashes) != match["hashes"].count("--hash="):
            faults.append(f'{place}: "{text}" is no entry of a lock. Expected name==version --hash=sha256:<64 hex>.')
        elif not hashes:
            faults.append(
                f'{place}: "{match["name"]}=={match["version"]}" has no hash. '
                "Expected --hash=sha256:<64 hex> for each of its distributions."
            )
        else:
            found.append(Locked(normal_name(match["name"]), match["version"], frozenset(hashes), place))
    raise_all(faults)
    return found


def read_wheels(path: Path) -> List[Wheel]:
    """Return the wheels that a file names, one a line. Raises ImageError with each line that names none."""
    found, faults = [], []
    for number, line in enumerate(read(path).splitlines(), 1):
        match = WHEEL.match(line)
        if match:
            name, version, sha256, file, size = match.group("name", "version", "sha256", "file", "size")
            source, place = match["source"] or "", f"{path}:{number}"
            found.append(Wheel(normal_name(name), version, file, sha256, int(size), source, place))
        elif line.strip() and not line.startswith("#"):
            faults.append(f'{path}:{number}: "{line}" names no wheel. Expected {WHEEL_LINE}')
    raise_all(faults)
    return found


def check_wheels(locked: Sequence[Locked], wheels: Sequence[Wheel], lock: Path) -> None:
    """Raise ImageError unless the wheels are those of the lock: each package once, in its version, by its hashes."""
    faults = [f"{lock.with_suffix('.wheels')}: is not made from {lock}:"]
    by_name = {wheel.name: wheel for wheel in wheels}
    names = {entry.name for entry in locked}
    for entry in locked:
        wheel = by_name.get(entry.name)
        if wheel is None:
            faults.append(f"  {entry.place}: {entry.requirement} has no wheel there.")
        elif wheel.version != entry.version:
            faults.append(f"  {wheel.place}: {wheel.requirement}, and the lock has {entry.version}.")
        elif (wheel.source or wheel.sha256) not in entry.hashes:
            kind = "source" if wheel.source else "wheel"
            faults.append(
                f"  {wheel.place}: {wheel.requirement}: the lock does not have "
                f"the {kind} sha256:{wheel.source or wheel.sha256}."
            )
    faults.extend(
        f"  {wheel.place}: {wheel.requirement} is not in the lock." for wheel in wheels if wheel.name not in names
    )
    raise_all(faults if len(faults) > 1 else [])


def logical_lines(text: str) -> Iterator[Tuple[int, str]]:
    """Yield each entry with the number of its first line, its continuations joined, without comments."""
    start = 0
    parts: List[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.split(" #")[0].strip() if not line.lstrip().startswith("#") else ""
        if bare:
            start = start if parts else number
            parts.append(bare.rstrip("\\").strip())
        if parts and not bare.endswith("\\"):
            yield start, " ".join(part for part in parts if part)
            parts = []
    if parts:
        yield start, " ".join(part for part in parts if part)


def normal_name(name: str) -> str:
    """Return a package's name as locks write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file. {MAKE_LOCK}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ImageError(f"{path}: cannot be read: {error}. {MAKE_LOCK}") from None


def raise_all(faults: Sequence[str]) -> None:
    if faults:
        raise ImageError("\n".join([*faults, MAKE_LOCK]))
