"""Checking requirements.wheels: everything in it is chosen and built again from nothing, and compared."""

import difflib
from pathlib import Path
from typing import Mapping

from esteira.cache import scratch_in
from esteira.errors import ImageError
from esteira.images.wheels.choose import choose_wheels
from esteira.images.wheels.locked import read_lock, wheels_of
from esteira.images.wheels.record import render_wheels
from esteira.images.wheels.store import LOCK, WheelStore, wheel_store


def check_here(root: Path, state: Path, environ: Mapping[str, str]) -> str:
    """Check the wheels of the repository and say that they came out the same. Raises ImageError with what did not."""
    number = check_recorded(root / LOCK, wheel_store(root, state, environ))
    return f"All {number} wheels of {LOCK} were chosen again, and built ones have the same bytes."


def check_recorded(lock: Path, store: WheelStore) -> int:
    """Return how many wheels a lock has, all of which came out the same again. Raises ImageError with what did not."""
    recorded = wheels_of(lock)
    path = lock.with_suffix(".wheels")
    with scratch_in(store.folder) as scratch:
        fresh = WheelStore([scratch / "wheels"], store.builders, store.build_lock, store.environ)
        wheels = sorted(choose_wheels(read_lock(lock), fresh))
        expected = render_wheels(wheels, lock.name, store.build_lock)
    found = path.read_text(encoding="utf-8")
    if found != expected:
        changed = difflib.unified_diff(found.splitlines(), expected.splitlines(), n=0, lineterm="")
        lines = [f"  {line}" for line in changed if not line.startswith(("---", "+++", "@@"))]
        raise ImageError(
            f"{path}: is not what {lock} gives here:\n" + "\n".join(lines) + "\n"
            "Expected the same wheels, and built ones of the same bytes, on every machine. "
            "To take these, remove the lines from it and run: make lock"
        )
    return len(recorded)
