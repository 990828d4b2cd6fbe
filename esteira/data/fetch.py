"""Fetching a pinned source distribution: by name and hash, once, through pip's own indexes."""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Iterator, List, Mapping, NamedTuple, Optional

from esteira.cache import cache_folders, first_writable, hash_file
from esteira.errors import DataError, ProgramError
from esteira.files import telling_os_errors
from esteira.process import run_program

PIN_PATTERN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[\w.]+) --hash=sha256:(?P<sha256>[0-9a-f]{64})$")


class Pin(NamedTuple):
    """A source distribution: its requirement, such as name==1.0, and its hash."""

    requirement: str
    sha256: str
    place: Path

    @property
    def name(self) -> str:
        return self.requirement.split("==")[0]


def read_pin(path: Path) -> Pin:
    """Return the one pin in a requirements file. Raises DataError if it has no such line."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    match = PIN_PATTERN.match(lines[0]) if len(lines) == 1 else None
    if match is None:
        raise DataError(f"{path}: pins no package. Expected one line such as name==1.0 --hash=sha256:<64 hex>.")
    return Pin(f"{match['name']}=={match['version']}", match["sha256"], path)


def download_folders(state: Path, environ: Mapping[str, str]) -> List[Path]:
    return cache_folders("downloads", state, environ)


def fetch(pin: Pin, folders: List[Path]) -> Path:
    """Return the distribution's file in one of `folders`, downloaded if none has it.

    Its hash is checked on each use, and a file that does not match is not used.
    Raises DataError if it cannot be had.
    """
    found = find_download(pin, folders)
    return found or download(pin, first_writable(folders))


def find_download(pin: Pin, folders: List[Path]) -> Optional[Path]:
    return next((path for path in candidates(pin, folders) if hash_file(path) == pin.sha256), None)


def candidates(pin: Pin, folders: List[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((folder / pin.sha256).glob("*")):
            if path.is_file() and os.access(path, os.R_OK):
                yield path


def download(pin: Pin, folder: Path) -> Path:
    """Download into `folder` under the hash, the file complete and checked when it appears."""
    with telling_os_errors("write", folder):
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder, prefix=".download-"))
    try:
        path = run_pip_download(pin, temporary)
        with telling_os_errors("write", folder):
            path.chmod(0o644)
            target = folder / pin.sha256 / path.name
            target.parent.mkdir(exist_ok=True)
            os.replace(path, target)
        return target
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def run_pip_download(pin: Pin, folder: Path) -> Path:
    """Let pip find and download the file, with the indexes and proxies that the user configured.

    pip checks the hash before it does anything with the file. It then asks the package's
    own setup.py for metadata, as it does for each pinned requirement that is a source.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{pin.requirement} --hash=sha256:{pin.sha256}\n", encoding="utf-8")
    target = folder / "download"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--require-hashes"]
    command += ["--no-binary", pin.name, "--dest", str(target), "--requirement", str(requirements)]
    try:
        run_program(command)
    except ProgramError as error:
        raise DataError(
            f"{pin.place}: cannot download the source of {pin.requirement}: {without_retries(str(error))}\n"
            f"Expected it in a package index, or a file with the hash sha256:{pin.sha256}.\n"
            "Connect to a network and run the command again, or set PIP_INDEX_URL or PIP_FIND_LINKS "
            f"to a mirror, or copy the file into {folder.parent / pin.sha256}, "
            "or train on a file of your own with DATA=file.csv."
        ) from None
    (path,) = target.iterdir()
    if hash_file(path) != pin.sha256:
        raise DataError(f"{path.name}: has not the hash sha256:{pin.sha256} that {pin.place} pins.")
    return path


def without_retries(output: str) -> str:
    """Return pip's output with the last of its warnings before a retry only: it tries five times."""
    lines = output.splitlines()
    retries = [line for line in lines if line.startswith("WARNING: Retrying")]
    return "\n".join(line for line in lines if line not in retries[:-1])
