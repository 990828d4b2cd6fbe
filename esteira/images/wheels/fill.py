"""Fetching a lock's wheels before there is an environment, and telling the folder to install them from.

Usage, in a bare interpreter at the repository's top: python -m esteira.images.wheels.fill LOCK
"""

import os
import sys
from pathlib import Path
from typing import List, Mapping, Sequence

from esteira.images.wheels.locked import Wheel, wheels_of
from esteira.images.wheels.script import exit_code_of
from esteira.images.wheels.store import LOCK, WheelStore, wheel_store


def main(arguments: List[str], environ: Mapping[str, str]) -> int:
    """Fetch what is missing, print a folder of links for --find-links, and return the exit code."""
    state = Path(environ.get("ESTEIRA_STATE") or ".esteira").absolute()

    def fill() -> None:
        store = wheel_store(Path.cwd(), state, environ)
        print(store.links(filled(Path(arguments[0]), store)))

    return exit_code_of(fill)


def filled(lock: Path, store: WheelStore) -> List[Wheel]:
    """Fetch what is missing of a lock's wheels, and return them all."""
    wheels = wheels_of(lock)
    tell_missing(wheels, store)
    store.fetch_missing(wheels)
    return wheels


def tell_missing(wheels: Sequence[Wheel], store: WheelStore) -> None:
    missing = [wheel for wheel in wheels if store.find(wheel) is None]
    sources = sum(bool(wheel.source) for wheel in missing)
    if missing:
        built = f", of which {sources} to be built from source" if sources else ""
        print(f"Fetching {len(missing)} wheels{built} (once; a minute or so)", file=sys.stderr)


def fill_store(root: Path, state: Path, environ: Mapping[str, str]) -> str:
    """Fetch what is missing of the repository's wheels and say where they are."""
    store = wheel_store(root, state, environ)
    return f"The {len(filled(root / LOCK, store))} wheels of {LOCK} are in {store.folder}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
