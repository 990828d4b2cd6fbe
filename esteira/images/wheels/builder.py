"""The environment that wheels are built in: an interpreter that sees docker/build.lock's packages and no others."""

import hashlib
import os
import sys
from pathlib import Path
from typing import List, Mapping

from esteira.cache import first_writable, scratch_in
from esteira.errors import ImageError, ProgramError
from esteira.files import telling_os_errors
from esteira.images.wheels.index import TIMEOUT_S, pip_environ, refuse_other_interpreter, tell_full_disk, without_noise
from esteira.process import run_program

PACKAGES = Path("lib", "python3.8", "site-packages")
TARGET = Path(__file__).resolve().parent / "target"


def build_environment(lock: Path, folders: List[Path], environ: Mapping[str, str]) -> Path:
    """Return the environment's interpreter. The environment is made in one of `folders` when first needed.

    Raises ImageError if it cannot be made.
    """
    refuse_other_interpreter()
    name = environment_name(lock)
    for folder in folders:
        if (folder / name / "bin" / "python").is_file():
            return folder / name / "bin" / "python"
    folder = first_writable(folders)
    with scratch_in(folder) as scratch:
        make_environment(lock, scratch, environ)
        put_in_place(scratch / "new", folder / name)
    return folder / name / "bin" / "python"


def environment_name(lock: Path) -> str:
    """Return a name by the build requirements and the interpreter, which the environment only links to."""
    parts = [read_build_lock(lock), os.fsencode(sys.base_prefix), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def read_build_lock(lock: Path) -> bytes:
    try:
        return lock.read_bytes()
    except FileNotFoundError:
        raise ImageError(
            f"{lock}: no such file. Expected the pins of what wheels are built with. Run: make lock"
        ) from None


def make_environment(lock: Path, scratch: Path, environ: Mapping[str, str]) -> None:
    made = scratch / "new"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    pip += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile"]
    env = {**pip_environ(environ, scratch), "PIP_ROOT_USER_ACTION": "ignore"}
    try:
        run_program([sys.executable, "-m", "venv", "--without-pip", str(made)], env=env)
        run_program([*pip, "--target", str(made / PACKAGES), "-r", str(lock)], env=env, timeout_s=TIMEOUT_S)
    except ProgramError as error:
        tell_full_disk(str(error), scratch)
        raise ImageError(
            f"{lock}: cannot install what wheels are built with:\n{without_noise(str(error))}\n"
            "Expected its packages in a package index. "
            "Connect to a network, or set PIP_INDEX_URL to a mirror, and run the command again."
        ) from None


def put_in_place(made: Path, target: Path) -> None:
    """Rename; another process that was faster made the same."""
    with telling_os_errors("write", target):
        try:
            os.replace(made, target)
        except OSError:
            if not (target / "bin" / "python").is_file():
                raise


def inputs_digest(build_lock: Path) -> str:
    """Return the SHA-256 of what a built wheel depends on besides its source."""
    digest = hashlib.sha256(read_build_lock(build_lock))
    for path in sorted(path for path in TARGET.iterdir() if path.is_file()):
        digest.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
