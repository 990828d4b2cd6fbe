"""The environment of the plain predict server, made once of peer.txt: what FastAPI needs is not what we lock."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.images.inputs import find_uv
from esteira.cache import cache_folders, first_writable, hash_file
from esteira.locks import locked

LOCK = Path(__file__).with_name("peer.txt")
NAME = "bench-serve"


def peer_python(state: Path) -> Path:
    """Return the interpreter of the environment, in the user's cache; the first time that needs a network."""
    folder = first_writable(cache_folders(NAME, state, os.environ))
    environment = folder / hash_file(LOCK)[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        if not environment.is_dir():
            make_environment(environment)
    return environment / "bin" / "python"


def make_environment(environment: Path) -> None:
    """Make it under another name, and rename it when it is whole."""
    print(f"Making the environment of FastAPI and Keras in {environment} (once)", file=sys.stderr, flush=True)
    uv, new = str(find_uv()), environment.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    python = new / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, str(new)],
        [uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(python), "-r", str(LOCK)],
    ):
        if subprocess.run(command).returncode:
            raise SystemExit(f"{environment}: cannot be made without a network. To leave the peer out: --ours")
    new.rename(environment)
