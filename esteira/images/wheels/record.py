"""Writing requirements.wheels: what was chosen before stays while it is the lock's; the rest is chosen anew.

Usage, in a bare interpreter: python -m esteira.images.wheels.record LOCK BUILD_LOCK
"""

import os
import re
import sys
from pathlib import Path
from typing import Dict, List, Mapping, Sequence

from esteira.cache import cache_folders
from esteira.errors import ImageError
from esteira.files import write_text
from esteira.images.wheels.builder import inputs_digest
from esteira.images.wheels.choose import choose_wheels
from esteira.images.wheels.index import PLATFORM
from esteira.images.wheels.locked import Locked, Wheel, read_lock, read_wheels
from esteira.images.wheels.script import exit_code_of
from esteira.images.wheels.store import WheelStore

BUILT_WITH = re.compile(r"^# Built with sha256:([0-9a-f]{64})", re.MULTILINE)


def record_wheels(lock: Path, store: WheelStore) -> None:
    """Write the wheels of a lock beside it. Raises ImageError, and changes nothing, if one cannot be had."""
    path = lock.with_suffix(".wheels")
    locked = read_lock(lock)
    kept = still_right(path, locked, inputs_digest(store.build_lock))
    new = choose_wheels([entry for entry in locked if entry.name not in kept], store)
    wheels = sorted([*kept.values(), *new])
    write_text(path, render_wheels(wheels, lock.name, store.build_lock))


def still_right(path: Path, locked: Sequence[Locked], inputs: str) -> Dict[str, Wheel]:
    """Return the recorded wheels that the lock still has, without those that were built with other inputs."""
    if not path.exists():
        return {}
    try:
        recorded = read_wheels(path)
    except ImageError:
        return {}
    built_with = BUILT_WITH.search(path.read_text(encoding="utf-8"))
    same_inputs = built_with is not None and built_with[1] == inputs
    entries = {entry.name: entry for entry in locked}
    return {
        wheel.name: wheel
        for wheel in recorded
        if wheel.name in entries
        and wheel.version == entries[wheel.name].version
        and (wheel.source or wheel.sha256) in entries[wheel.name].hashes
        and (same_inputs or not wheel.source)
    }


def render_wheels(wheels: Sequence[Wheel], lock: str, build_lock: Path) -> str:
    lines = [f"# The wheels of {lock} for {PLATFORM}, by their bytes. Made from it by: make lock"]
    if any(wheel.source for wheel in wheels):
        lines += [
            "# What an index has only as source is built on each machine, always to the same bytes: make wheels-check",
            f"# Built with sha256:{inputs_digest(build_lock)} (docker/build.lock, esteira/images/wheels/target)",
        ]
    return "\n".join([*lines, *(render_wheel(wheel) for wheel in wheels)]) + "\n"


def render_wheel(wheel: Wheel) -> str:
    line = f"{wheel.requirement} --hash=sha256:{wheel.sha256}  # {wheel.file}, {wheel.size_bytes} bytes"
    return f"{line}, built from sha256:{wheel.source}" if wheel.source else line


def main(arguments: List[str], environ: Mapping[str, str]) -> int:
    """Record a lock's wheels and return the exit code."""
    lock, build_lock = map(Path, arguments)
    state = Path(environ.get("ESTEIRA_STATE") or ".esteira").absolute()
    folders = cache_folders("wheels", state, environ)
    store = WheelStore(folders, cache_folders("builders", state, environ), build_lock, environ)
    return exit_code_of(lambda: record_wheels(lock, store))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
