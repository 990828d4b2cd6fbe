"""`make doctor` for the environment local: what a deploy on this machine needs."""

import shutil
import sys
from typing import Iterator, List

from esteira.cloud.finding import Finding
from esteira.errors import ProgramError
from esteira.process import run_program
from esteira.settings import Settings

PYTHON = (3, 8)
# An image's layers, its layout and the wheels that they are made of.
FREE_GB = 5


def examine_local(settings: Settings) -> List[Finding]:
    """Return what every check finds."""
    return [*check_python(), *check_disk(settings), *check_git(), *check_docker(settings)]


def check_python() -> Iterator[Finding]:
    said = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] == PYTHON
    yield Finding("Python", good, said, "" if good else "Run: make setup    TFX 1.14 needs Python 3.8")


def check_disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.state
    while not folder.exists():
        folder = folder.parent
    free_gb = shutil.disk_usage(folder).free / 1e9
    said = f"{free_gb:,.1f} GB free at {settings.state}"
    good = free_gb >= FREE_GB
    remedy = "" if good else f"Expected {FREE_GB} GB. Run: make gc    Or: make clean"
    yield Finding("disk", good, said, remedy)


def check_git() -> Iterator[Finding]:
    try:
        version = run_program(["git", "--version"], timeout_s=30).strip().rpartition("version ")[2]
    except ProgramError as error:
        yield Finding("git", False, str(error).splitlines()[0], "Install git: releases are made of commits")
        return
    yield Finding("git", True, version)


def check_docker(settings: Settings) -> Iterator[Finding]:
    """Yield whether docker answers; it is needed only where tasks run in containers."""
    needed = settings.run.isolation == "container"
    try:
        version = run_program(["docker", "version", "--format", "{{.Server.Version}}"], timeout_s=30).strip()
    except ProgramError as error:
        said = str(error).splitlines()[0] if "no such program" in str(error) else "docker does not answer"
        remedy = "Start it, or set run.isolation to fork" if needed else "Only run.isolation = container needs it"
        yield Finding("docker", False if needed else None, said, remedy)
        return
    yield Finding("docker", True, version)
