"""Removing what the environment `local` and the steps of builds left behind."""

import shutil
from pathlib import Path
from typing import Iterator, List

from esteira.errors import LeaseError, StateError
from esteira.files import telling_os_errors
from esteira.monitoring.journal.segments import JOURNAL, writers
from esteira.release.lease import LeaseInfo, read_lease
from esteira.release.store.folder import FolderStore
from esteira.settings import Settings

BUCKET, WAREHOUSE = "bucket", "warehouse"
FILES = (".gitignore", "deploy.json", "digests.json")
# Everything that Esteira puts into a state folder. STATE= may name a folder that holds other things too.
NAMES = (
    *(BUCKET, "builders", "builds", "cloudbuild", "downloads", "history.git", "images", "lineage", "logs"),
    *("deploy-*.json", "metadata.sqlite*", "rehearsal", "served", "sources", "submissions"),
    *(WAREHOUSE, "wheels"),
    *FILES,
    # What is left of one whose writer was killed.
    *(f".{name}.*" for name in FILES),
)


def clean_state(settings: Settings) -> List[Path]:
    """Remove what Esteira made in the state folder, and build/; return what was removed.

    Raises StateError if something cannot be removed, or for an environment in the cloud; LeaseError,
    and removes nothing, while a deploy runs or a server writes to the request log.
    """
    state = settings.folder.parents[1]
    check_free(state / BUCKET)
    check_unwritten(state / WAREHOUSE / JOURNAL)
    found = [path for name in NAMES for path in sorted(state.glob(name))]
    found += [path for path in [settings.root / "build"] if path.is_dir()]
    for path in found:
        with telling_os_errors("remove", path):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if state.is_dir() and not any(state.iterdir()):
        state.rmdir()
    return found


def check_free(bucket: Path) -> None:
    """Raise LeaseError if a deploy holds a pipeline's store in the bucket."""
    for held in holders(bucket):
        raise LeaseError(
            f"{bucket}: a deploy needs it: {held.describe()}.\n"
            "Expected no deploy to run. When it is over, which make status tells, run: make clean    "
            f"If it hangs, end it on {held.holder.rpartition('@')[2]}: kill {held.pid}"
        )


def check_unwritten(journal: Path) -> None:
    """Raise LeaseError if a server writes to the journal of the request log: what it then answers would be lost."""
    with telling_os_errors("look at", journal):
        for path, pid in writers(journal):
            raise LeaseError(
                f"{path}: a server writes its requests to it: process {pid}.\n"
                f"Expected no server to run. End it: kill {pid}    Then run: make clean"
            )


def holders(bucket: Path) -> Iterator[LeaseInfo]:
    for store in sorted(bucket.glob("*/")):
        try:
            held = read_lease(FolderStore(store))
        except StateError:
            # What nobody can read holds nothing, and cleaning is how one gets rid of it.
            continue
        if held and not held.stale:
            yield held
