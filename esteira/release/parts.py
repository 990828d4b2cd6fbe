"""Laying the parts of a release down in the store, each under a name that follows from its content."""

import tempfile
from pathlib import Path
from typing import Dict, Iterable, Tuple

from esteira.errors import StateError
from esteira.files import read_json, write_json
from esteira.jobs.bundle import bundle_modules
from esteira.release.digest import digest_files, files_below
from esteira.release.manifest import JOB, Part
from esteira.release.store.interface import Store

BUNDLE = "modules.py"
HYPERPARAMETERS = "best_hyperparameters"
# The folder in the store that holds a part's versions.
PREFIXES = {"data": "data", "modules": "modules", "hyperparameters": HYPERPARAMETERS, "job": "jobs"}

Files = Iterable[Tuple[str, Path]]


def lay_data(store: Store, digest: str, folder: Path) -> Part:
    """Lay down the folder that `prepare_data` filled; StateError if there is none."""
    if not folder.is_dir():
        raise StateError(f"{folder}: no prepared data. Run: .venv/bin/inv data")
    return lay_part(store, "data", digest, files_below(folder))


def lay_modules(store: Store, digest: str, folder: Path) -> Part:
    """Lay down modules/ as one file; CompileError if it cannot be bundled."""
    with tempfile.TemporaryDirectory() as scratch:
        bundle = Path(scratch) / BUNDLE
        bundle.write_bytes(bundle_modules(folder))
        return lay_part(store, "modules", digest, [(BUNDLE, bundle)])


def lay_hyperparameters(store: Store, digest: str, folder: Path) -> Part:
    """Lay down the hyperparameters; StateError unless they are one file, as the Trainer reads one."""
    files = list(files_below(folder / HYPERPARAMETERS))
    if len(files) != 1:
        raise StateError(f"{folder / HYPERPARAMETERS}: expected exactly one file. Run: make tune")
    return lay_part(store, "hyperparameters", digest, files)


def lay_job(store: Store, digest: str, path: Path) -> Part:
    """Lay down a compiled job, its image and parameters open."""
    return lay_part(store, "job", digest, [(JOB, path)])


def lay_part(store: Store, name: str, digest: str, files: Files) -> Part:
    """Lay the files down under <name>/<digest of their content>, and return the part."""
    known = list(files)
    content = digest_files(known)
    prefix = f"{PREFIXES[name]}/{content.split(':')[1]}"
    store.lay_down(prefix, known)
    return Part(digest=digest, content=content, uri=f"{store.uri}/{prefix}", files=len(known))


def write_parts(path: Path, parts: Dict[str, Part]) -> None:
    write_json(path, {name: part.dict() for name, part in parts.items()})


def read_parts(path: Path, command: str) -> Dict[str, Part]:
    """Return the parts that `write_parts` wrote; StateError, with the command that does, if there are none."""
    values = read_json(path, command)
    return {name: Part(**value) for name, value in values.items()}
