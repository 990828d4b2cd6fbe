"""Fetching a lock's wheels before there is an environment, and telling the folder to install them from.

Usage, in a bare interpreter at the repository's top: python -m esteira.images.wheels.fill LOCK
"""

import os
import sys
from pathlib import Path
from typing import List, Mapping

from esteira.errors import EsteiraError
from esteira.images.wheels.locked import wheels_of
from esteira.images.wheels.store import wheel_store


def main(arguments: List[str], environ: Mapping[str, str]) -> int:
    """Fetch what is missing, print a folder of links for --find-links, and return the exit code."""
    state = Path(environ.get("ESTEIRA_STATE") or ".esteira").absolute()
    try:
        wheels = wheels_of(Path(arguments[0]))
        store = wheel_store(Path.cwd(), state, environ)
        store.fetch_missing(wheels)
        print(store.links(wheels))
    except EsteiraError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
