"""What `make doctor` looks at in the state folder: whether it can be written, who holds it, what was left behind."""

import os
import tempfile
from pathlib import Path
from typing import Iterator, List

from esteira.deploy.status import read_status
from esteira.doctor.finding import Finding
from esteira.errors import EsteiraError
from esteira.local.builds.workspace import latest
from esteira.locks import is_locked
from esteira.release.lease import read_lease
from esteira.release.store import open_store
from esteira.settings import Settings


def check_state(settings: Settings) -> Iterator[Finding]:
    """Yield whether the state folder can be written, by writing a file there or where it would be made."""
    folder = nearest_folder(settings.state)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-"):
            pass
    except OSError as error:
        remedy = f"Expected a folder that you may write to. Run: ls -ld {folder}    Or give another one: STATE=folder"
        yield Finding("state", False, f"{folder}: {error.strerror}", remedy)
        return
    said = f"{settings.state} can be written" if folder == settings.state else f"{settings.state} can be made"
    yield Finding("state", True, said)


def nearest_folder(path: Path) -> Path:
    """Return the folder itself, or that of those above it which is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def check_lease(settings: Settings) -> Iterator[Finding]:
    """Yield who holds the environment, and how the last deploy ended."""
    if not settings.state.exists():
        return
    try:
        lease, status = read_lease(open_store(settings)), read_status(settings)
    except EsteiraError as error:
        said, _, remedy = str(error).partition("\n")
        yield Finding("deploys", False, said, remedy)
        return
    if lease and lease.stale:
        said = f"held by {lease.describe()}, which is over"
        yield Finding("deploys", None, said, "It ended without a word. The next deploy takes over: make deploy")
    elif lease:
        yield Finding("deploys", None, f"held by {lease.describe()}", "Another deploy waits for its end: make status")
    elif status.state == "interrupted":
        yield Finding("deploys", None, "the last one was interrupted", "Run it again, to go on: make deploy")
    else:
        yield Finding("deploys", True, "nobody holds the environment")


def check_leftovers(settings: Settings) -> Iterator[Finding]:
    """Yield what killed deploys have left, which the next one removes by itself."""
    left = leftovers(settings)
    if left:
        said = f"{len(left)} folder{'s' * (len(left) != 1)} of deploys that were killed, {size_mb(left):,.0f} MB"
        yield Finding("leftovers", None, said, "The next deploy removes them")
    elif settings.state.exists():
        yield Finding("leftovers", True, "none")


def leftovers(settings: Settings) -> List[Path]:
    """Return folders of work that nobody holds; a failed build's last one stays for those who look into it."""
    builds = settings.state / "builds"
    kept = latest(builds) if builds.is_dir() else None
    left = [path for path in folders_in(builds) if path != kept]
    left += folders_in(settings.state / "sources")
    return [path for path in left if not is_locked(path)]


def folders_in(folder: Path) -> List[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def size_mb(folders: List[Path]) -> float:
    sizes = (
        os.lstat(os.path.join(place, name)).st_size
        for folder in folders
        for place, _, names in os.walk(folder)
        for name in names
    )
    return sum(sizes) / 1e6
