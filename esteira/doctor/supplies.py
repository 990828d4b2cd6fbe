"""What `make doctor` looks at of what is fetched: the environment, the wheels, the default data, the package index."""

import os
import sys
from pathlib import Path
from typing import Iterator, List, Mapping

from esteira.data.fetch import download_folders, find_download, read_pin
from esteira.data.prepare import PIN
from esteira.doctor.finding import Finding
from esteira.errors import EsteiraError, ProgramError
from esteira.images.wheels.locked import Wheel, wheels_of
from esteira.images.wheels.store import LOCK, wheel_store
from esteira.process import run_program
from esteira.settings import Settings

ANSWER_S = 10
# A package that every index has, asked for by name alone: nothing is downloaded.
ASKED = "pip"


def check_environment(root: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether the environment was made of the lock that is here; whatever target is next makes it anew."""
    folder = root / (environ.get("ESTEIRA_VENV") or ".venv")
    same = [same_bytes(root / name, folder / name) for name in (LOCK, LOCK.replace(".lock", ".wheels"))]
    if all(same):
        yield Finding("environment", True, f"is that of {LOCK}")
    else:
        yield Finding("environment", None, f"is not that of {LOCK}", "Run: make setup    Every target does so, too")


def same_bytes(one: Path, other: Path) -> bool:
    try:
        return one.read_bytes() == other.read_bytes()
    except OSError:
        return False


def check_wheels(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether every wheel that an image is made of is here."""
    try:
        wheels = wheels_of(settings.root / LOCK)
    except EsteiraError as error:
        yield Finding("wheels", False, str(error).splitlines()[0], "Run: make lock")
        return
    missing = missing_wheels(settings, environ, wheels)
    if missing:
        said = f"{missing} of {len(wheels)} are to be fetched or built"
        yield Finding("wheels", None, said, "The next image does so. Run: make wheels")
    else:
        yield Finding("wheels", True, f"all {len(wheels)} are here")


def missing_wheels(settings: Settings, environ: Mapping[str, str], wheels: List[Wheel]) -> int:
    store = wheel_store(settings.root, settings.state, environ)
    return sum(store.find(wheel) is None for wheel in wheels)


def check_data(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether what the model is trained on is here: the default data, or the file that the settings name."""
    if settings.data.file:
        path = settings.root / settings.data.file
        good = path.is_file() and os.access(path, os.R_OK)
        remedy = "" if good else "Expected the path of a CSV, from the repository's top, as data.file or DATA=file.csv"
        yield Finding("data", good, f"{settings.data.file} {'is here' if good else 'cannot be read'}", remedy)
        return
    try:
        found = find_download(read_pin(settings.root / PIN), download_folders(settings.state, environ))
    except EsteiraError as error:
        yield Finding("data", False, str(error).splitlines()[0], f"Restore it: git checkout {PIN}")
        return
    if found:
        yield Finding("data", True, "the default set is here")
    else:
        yield Finding("data", None, "the default set is to be fetched", "The next deploy does so. Run: make data")


def check_index(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether pip reaches a package index; it is needed only for what is not here yet."""
    command = [sys.executable, "-m", "pip", "index", "versions", ASKED, "--quiet", "--no-input", "--retries", "0"]
    command += ["--disable-pip-version-check", "--timeout", str(ANSWER_S)]
    try:
        run_program(command, env=environ, timeout_s=6 * ANSWER_S)
    except ProgramError:
        fetched = all(finding.good for check in (check_wheels, check_data) for finding in check(settings, environ))
        needed = "Only new requirements need it" if fetched else "What is not here yet has to come from it"
        remedy = f"{needed}. Check the network and HTTPS_PROXY, or set PIP_INDEX_URL. See: python -m pip config list"
        yield Finding("package index", None if fetched else False, "pip gets no answer from it", remedy)
        return
    yield Finding("package index", True, "answers pip")
