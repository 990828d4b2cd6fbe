"""Downloads from the package index through pip, so that indexes, proxies and sign-ins are the user's own."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Mapping, Sequence

from esteira.errors import ImageError, ProgramError, StateError
from esteira.process import run_program

# The images' platform, as `make lock` resolves for it (esteira/setup/lock.sh).
PLATFORM = "linux/amd64 (CPython 3.8, glibc 2.28)"
GLIBC_MINOR = 28
ABIS = ("cp38", "abi3", "none")
# The first pip that takes --platform more than once.
OLDEST_PIP = (20, 3)
TIMEOUT_S = 3600.0
FULL_DISK = "No space left on device"


def platform_flags() -> List[str]:
    """Return pip's flags for wheels of the images' platform, whatever machine this is."""
    tags = [f"manylinux_2_{minor}_x86_64" for minor in range(GLIBC_MINOR, 4, -1)]
    tags += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"]
    flags = ["--only-binary", ":all:", "--python-version", "3.8", "--implementation", "cp"]
    for abi in ABIS:
        flags += ["--abi", abi]
    for tag in tags:
        flags += ["--platform", tag]
    return flags


def download_wheels(python: Path, pins: Sequence[str], folder: Path, environ: Mapping[str, str]) -> List[Path]:
    """Return the best wheels for the images' platform, of pins such as name==1.0 --hash=sha256:<64 hex>."""
    return pip_download(python, platform_flags(), pins, folder, environ)


def download_source(python: Path, name: str, pin: str, folder: Path, environ: Mapping[str, str]) -> Path:
    """Return a source distribution. pip asks its setup.py for metadata, with the setuptools beside that pip."""
    flags = ["--no-binary", name, "--no-build-isolation"]
    (path,) = pip_download(python, flags, [pin], folder, environ)
    return path


def pip_download(
    python: Path, flags: Sequence[str], pins: Sequence[str], folder: Path, environ: Mapping[str, str]
) -> List[Path]:
    """Return the files that pip downloaded into `folder`. Raises ProgramError, or StateError if the disk is full."""
    requirements, target = folder / "requirements.txt", folder / "files"
    requirements.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
    target.mkdir()
    command = [str(python), "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", *flags, "--dest", str(target), "--requirement", str(requirements)]
    try:
        run_program(command, env=pip_environ(environ, folder), timeout_s=TIMEOUT_S)
    except ProgramError as error:
        tell_full_disk(str(error), folder)
        raise
    return sorted(target.iterdir())


def pip_environ(environ: Mapping[str, str], scratch: Path) -> Dict[str, str]:
    """Return the user's environment, with scratch files on the store's disk and nothing that moves what pip gives."""
    left_out = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIREMENT", "PYTHONPATH", "PYTHONHOME")
    kept = {name: value for name, value in environ.items() if name not in left_out}
    return {**kept, "TMPDIR": str(scratch), "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}


def tell_full_disk(output: str, folder: Path) -> None:
    if FULL_DISK in output:
        raise StateError(
            f"{folder}: cannot write: {FULL_DISK}.\n"
            "Expected a writable folder with free space. Free some space, then run the command again."
        )


def has_usable_pip(python: str) -> bool:
    command = [python, "-m", "pip", "--version"]
    answer = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    version = re.match(r"pip (\d+)\.(\d+)", answer.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST_PIP


def without_noise(output: str) -> str:
    """Return pip's errors without its warnings: it repeats one for each retry and each index that lacks a package."""
    lines = [line for line in output.splitlines() if line.startswith(("ERROR", "error", " ", "Collecting"))]
    return "\n".join(line.strip() for line in lines) or output.strip()


def refuse_other_interpreter() -> None:
    """The wheels' tags and the packages that are built here are those of the running Python."""
    if sys.version_info[:2] != (3, 8):
        found = "{}.{}".format(*sys.version_info[:2])
        raise ImageError(f"{sys.executable}: is Python {found}. Expected Python 3.8. Run: make setup")
