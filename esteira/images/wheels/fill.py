"""Fetching a lock's wheels before there is an environment, and telling the folder to install them from.

Usage, in a bare interpreter at the repository's top: python -m esteira.images.wheels.fill LOCK
"""

import os
import sys
from pathlib import Path
from typing import List, Mapping, Sequence

from esteira.errors import EsteiraError
from esteira.images.wheels.locked import Wheel, wheels_of
from esteira.images.wheels.store import LOCK, WheelStore, wheel_store

# What a shell leaves with after Ctrl-C.
INTERRUPTED = 130


def main(arguments: List[str], environ: Mapping[str, str]) -> int:
    """Fetch what is missing, print a folder of links for --find-links, and return the exit code."""
    state = Path(environ.get("ESTEIRA_STATE") or ".esteira").absolute()
    try:
        wheels = wheels_of(Path(arguments[0]))
        store = wheel_store(Path.cwd(), state, environ)
        tell_missing(wheels, store)
        store.fetch_missing(wheels)
        print(store.links(wheels))
    except EsteiraError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def tell_missing(wheels: Sequence[Wheel], store: WheelStore) -> None:
    missing = [wheel for wheel in wheels if store.find(wheel) is None]
    sources = sum(bool(wheel.source) for wheel in missing)
    if missing:
        built = f", of which {sources} to be built from source" if sources else ""
        print(f"Fetching {len(missing)} wheels{built} (once; a minute or so)", file=sys.stderr)


def fill_store(root: Path, state: Path, environ: Mapping[str, str]) -> str:
    """Fetch what is missing of the repository's wheels and say where they are."""
    wheels, store = wheels_of(root / LOCK), wheel_store(root, state, environ)
    tell_missing(wheels, store)
    store.fetch_missing(wheels)
    return f"The {len(wheels)} wheels of {LOCK} are in {store.folder}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
