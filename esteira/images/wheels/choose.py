"""Choosing the wheels of a lock: the best for the images' platform, or one that is built from source."""

from functools import partial
from pathlib import Path
from typing import Dict, List, Sequence

from esteira.cache import hash_file, scratch_in
from esteira.errors import ImageError, ProgramError
from esteira.files import telling_os_errors
from esteira.images.wheels.build import build_wheel
from esteira.images.wheels.builder import build_environment
from esteira.images.wheels.fetch import CHUNK, MISMATCH, MISSING, WAY_OUT, pip_python, run_all
from esteira.images.wheels.index import PLATFORM, download_source, download_wheels, without_noise
from esteira.images.wheels.locked import Locked, Wheel, normal_name
from esteira.images.wheels.store import WheelStore


def choose_wheels(locked: Sequence[Locked], store: WheelStore) -> List[Wheel]:
    """Return a wheel for each package of a lock, in its order, and put it into the store.

    Raises ImageError with each package that has neither a wheel for the platform nor a source distribution.
    """
    if not locked:
        return []
    chosen: Dict[str, Wheel] = {}
    sources: List[Locked] = []
    python = pip_python(store)
    with telling_os_errors("write", store.folder), scratch_in(store.folder) as scratch:

        def choose_chunk(start: int) -> None:
            chunk = Chunk(locked[start : start + CHUNK], python, store, scratch / f"choose-{start}")
            chosen.update(chunk.choose())
            sources.extend(chunk.sources)

        run_all([partial(choose_chunk, start) for start in range(0, len(locked), CHUNK)])
        chosen.update(build_chosen(sources, store, scratch))
    return [chosen[entry.name] for entry in locked]


class Chunk:
    """Some packages of a lock. `sources` are those that turned out to have no wheel for the platform."""

    def __init__(self, locked: Sequence[Locked], python: Path, store: WheelStore, scratch: Path) -> None:
        self.wanted = {entry.name: entry for entry in locked}
        self.python = python
        self.store = store
        self.scratch = scratch
        self.sources: List[Locked] = []
        scratch.mkdir()

    def choose(self) -> Dict[str, Wheel]:
        """Return the wheels by package. pip stops at the first package without one, so it is asked again."""
        while self.wanted:
            folder = self.scratch / str(len(self.sources))
            folder.mkdir()
            pins = [all_hashes(entry) for entry in self.wanted.values()]
            try:
                paths = download_wheels(self.python, pins, folder, self.store.environ)
            except ProgramError as error:
                self.sources.append(self.wanted.pop(without_wheel(self.wanted, str(error))))
            else:
                return {wheel.name: wheel for wheel in map(self.take, paths)}
        return {}

    def take(self, path: Path) -> Wheel:
        """Put a downloaded wheel into the store, whose hash pip compared with all of the lock's."""
        entry = self.wanted[normal_name(path.name.split("-")[0])]
        return take_wheel(entry, path, self.store, "")


def all_hashes(entry: Locked) -> str:
    return " ".join([entry.requirement, *(f"--hash=sha256:{sha256}" for sha256 in sorted(entry.hashes))])


def without_wheel(wanted: Dict[str, Locked], output: str) -> str:
    """Return the name of the package that has no wheel, as pip tells it; ImageError if pip says another thing."""
    missing = MISSING.search(output)
    if missing and not MISMATCH.search(output) and normal_name(missing[1]) in wanted:
        return normal_name(missing[1])
    raise ImageError(f"cannot choose wheels for {PLATFORM}:\n{without_noise(output)}\n{WAY_OUT}")


def build_chosen(sources: Sequence[Locked], store: WheelStore, scratch: Path) -> Dict[str, Wheel]:
    """Return the wheels of packages that have only a source distribution, built."""
    if not sources:
        return {}
    python = build_environment(store.build_lock, store.builders, store.environ)
    found = {}
    faults = []
    for entry in sorted(sources):
        try:
            found[entry.name] = build_from_source(entry, python, store, scratch / f"build-{entry.name}")
        except ImageError as error:
            faults.append(str(error))
    if faults:
        raise ImageError("\n".join(faults))
    return found


def build_from_source(entry: Locked, python: Path, store: WheelStore, folder: Path) -> Wheel:
    folder.mkdir()
    try:
        source = download_source(python, entry.name, all_hashes(entry), folder, store.environ)
    except ProgramError as error:
        raise ImageError(
            f"{entry.place}: {entry.requirement}: no wheel for {PLATFORM} and no source distribution "
            f"can be had:\n{without_noise(str(error))}\n"
            "Expected one of them in a package index. Name another version in requirements.in, and run: make lock"
        ) from None
    source_sha256 = hash_file(source)
    built = build_wheel(store.adopt(source, source_sha256), python, folder, entry.requirement, store.environ)
    return take_wheel(entry, built, store, source_sha256)


def take_wheel(entry: Locked, path: Path, store: WheelStore, source: str) -> Wheel:
    """Put the wheel of a package into the store and return what is recorded of it."""
    sha256, size_bytes = hash_file(path), path.stat().st_size
    store.adopt(path, sha256)
    return Wheel(entry.name, entry.version, path.name, sha256, size_bytes, source, entry.place)
