"""Fetching wheels into the store: downloads side by side, and builds of what exists only as source."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Callable, List, Optional, Sequence

from esteira.cache import hash_file, scratch_in
from esteira.errors import EsteiraError, ImageError, ProgramError
from esteira.files import telling_os_errors
from esteira.images.wheels.build import build_wheel
from esteira.images.wheels.builder import build_environment
from esteira.images.wheels.index import (
    PLATFORM,
    download_source,
    download_wheels,
    has_usable_pip,
    without_noise,
)
from esteira.images.wheels.locked import Wheel
from esteira.images.wheels.store import WheelStore

# As many downloads as saturate a line; few enough packages in each that a killed fetch loses little.
AT_A_TIME = 4
CHUNK = 30
GOT = re.compile(r"Got\s+([0-9a-f]{64})")
MISSING = re.compile(r"No matching distribution found for ([\w.-]+)==")
MISMATCH = re.compile(r"^\s+([\w.-]+)==\S+ from .*:$", re.MULTILINE)
WAY_OUT = "Connect to a network, or set PIP_INDEX_URL or PIP_FIND_LINKS to a mirror that has it, and run: make wheels"


def fetch_wheels(wheels: Sequence[Wheel], store: WheelStore) -> None:
    """Download the wheels that an index has, and build the others. Raises ImageError with all faults."""
    downloads = [wheel for wheel in wheels if not wheel.source]
    builds = [wheel for wheel in wheels if wheel.source]
    python = pip_python(store)
    with telling_os_errors("write", store.folder), scratch_in(store.folder) as scratch:
        jobs: List[Callable[[], None]] = []
        if builds:
            jobs.append(partial(build_all, builds, store, scratch))
        for start in range(0, len(downloads), CHUNK):
            chunk = downloads[start : start + CHUNK]
            jobs.append(partial(download_some, chunk, python, store, scratch / f"chunk-{start}"))
        run_all(jobs)


def pip_python(store: WheelStore) -> Path:
    """Return an interpreter whose pip can download for another platform: this one, or the build environment's."""
    if has_usable_pip(sys.executable):
        return Path(sys.executable)
    return build_environment(store.build_lock, store.builders, store.environ)


def run_all(jobs: Sequence[Callable[[], None]]) -> None:
    """Run jobs side by side to their ends, then raise what went wrong: other errors first, all faults of images."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        futures = [pool.submit(job) for job in jobs]
    errors = [error for error in (future.exception() for future in futures) if error is not None]
    for error in errors:
        if not isinstance(error, ImageError):
            raise error
    if errors:
        raise ImageError(joined([str(error) for error in errors]))


def joined(faults: Sequence[str]) -> str:
    """Return faults one below the other, with a way out that several of them have once, at the end."""
    bare = [fault[: -len(WAY_OUT)].rstrip("\n") if fault.endswith(WAY_OUT) else fault for fault in faults]
    ways = [WAY_OUT] if bare != list(faults) else []
    return "\n".join([*dict.fromkeys(bare), *ways])


def download_some(wheels: Sequence[Wheel], python: Path, store: WheelStore, folder: Path) -> None:
    """Download wheels with one pip, and put each into the store."""
    folder.mkdir()
    pins = [f"{wheel.requirement} --hash=sha256:{wheel.sha256}" for wheel in wheels]
    try:
        paths = {path.name: path for path in download_wheels(python, pins, folder, store.environ)}
    except ProgramError as error:
        raise explain(wheels, str(error)) from None
    for wheel in wheels:
        store.adopt(checked(wheel, paths.get(wheel.file)), wheel.sha256)


def checked(wheel: Wheel, path: Optional[Path]) -> Path:
    if path is None:
        raise ImageError(f"{wheel.place}: {wheel.requirement}: the index has no file {wheel.file}.\n{WAY_OUT}")
    found = hash_file(path)
    if found != wheel.sha256:
        raise other_bytes(wheel, found)
    return path


def explain(wheels: Sequence[Wheel], output: str) -> EsteiraError:
    """Return the error of a failed download: which wheel it was, if pip says so."""
    by_name = {wheel.name: wheel for wheel in wheels}
    missing, mismatch, got = MISSING.search(output), MISMATCH.search(output), GOT.search(output)
    if mismatch and got and mismatch[1].lower() in by_name:
        return other_bytes(by_name[mismatch[1].lower()], got[1])
    if missing and missing[1].lower() in by_name:
        wheel = by_name[missing[1].lower()]
        return ImageError(
            f"{wheel.place}: {wheel.requirement}: no index has its wheel for {PLATFORM}.\n"
            f"Expected {wheel.file} with the hash sha256:{wheel.sha256}.\n{WAY_OUT}"
        )
    names = ", ".join(wheel.requirement for wheel in wheels)
    return ImageError(f"cannot download {names}:\n{without_noise(output)}\n{WAY_OUT}")


def other_bytes(wheel: Wheel, found: str) -> ImageError:
    return ImageError(
        f"{wheel.place}: {wheel.requirement}: {wheel.file} was found with other bytes: sha256:{found}.\n"
        f"Expected sha256:{wheel.sha256}. Somebody changed the file, or the index is not to be trusted.\n"
        "Name the right index (PIP_INDEX_URL, PIP_FIND_LINKS), and run: make wheels"
    )


def build_all(wheels: Sequence[Wheel], store: WheelStore, scratch: Path) -> None:
    """Build one after the other: a compiler takes the cores that there are."""
    python = build_environment(store.build_lock, store.builders, store.environ)
    for wheel in wheels:
        built = build_one(wheel, python, store, scratch / f"build-{wheel.name}")
        found = hash_file(built)
        if found != wheel.sha256 or built.name != wheel.file:
            raise built_otherwise(wheel, built.name, found)
        store.adopt(built, wheel.sha256)


def build_one(wheel: Wheel, python: Path, store: WheelStore, folder: Path) -> Path:
    """Return a wheel as it is built here from the source that the lock names."""
    folder.mkdir()
    source = fetch_source(wheel, python, store, folder)
    return build_wheel(source, python, folder, wheel.requirement, store.environ)


def fetch_source(wheel: Wheel, python: Path, store: WheelStore, folder: Path) -> Path:
    """Return the source distribution, downloaded into the store if it is not there."""
    found = store.find_source(wheel.source)
    if found is not None and hash_file(found) == wheel.source:
        return found
    pin = f"{wheel.requirement} --hash=sha256:{wheel.source}"
    try:
        path = download_source(python, wheel.name, pin, folder, store.environ)
    except ProgramError as error:
        raise ImageError(
            f"{wheel.place}: {wheel.requirement}: cannot download its source:\n{without_noise(str(error))}\n"
            f"Expected a file with the hash sha256:{wheel.source}.\n{WAY_OUT}"
        ) from None
    return store.adopt(path, wheel.source)


def built_otherwise(wheel: Wheel, file: str, found: str) -> ImageError:
    return ImageError(
        f"{wheel.place}: {wheel.requirement}: its source was built to other bytes here: {file}, sha256:{found}.\n"
        f"Expected {wheel.file}, sha256:{wheel.sha256}, as on the machine that ran make lock. "
        "If docker/build.lock or esteira/images/wheels was changed on purpose, "
        f"remove its line from {wheel.place.rpartition(':')[0]} and run: make lock"
    )
