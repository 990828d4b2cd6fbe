"""The source of a build as one archive: what is deployed, at its exact commit, and nothing else of the folder."""

import gzip
import tarfile
import tempfile
from pathlib import Path
from typing import IO, Optional, cast

from esteira.files import telling_os_errors
from esteira.local.builds.workspace import fill_workspace
from esteira.source import Source

# Fast: the archive is sent once, to a bucket near by.
LEVEL = 1
EXECUTABLE = 0o100


def write_archive(source: Source, path: Path) -> None:
    """Write a .tgz of the source's tree, the same bytes for the same tree, whoever packs it and when.

    Submodules are not in it, as nothing of a build may depend on what git alone can fetch.
    """
    with telling_os_errors("write", path), tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        workspace = Path(scratch) / "workspace"
        fill_workspace(workspace, source)
        with path.open("wb") as file, gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed, tarfile.open(
            fileobj=cast(IO[bytes], packed), mode="w", format=tarfile.PAX_FORMAT
        ) as archive:
            for below in sorted(workspace.rglob("*")):
                archive.add(str(below), str(below.relative_to(workspace)), recursive=False, filter=anonymous)


def anonymous(entry: tarfile.TarInfo) -> Optional[tarfile.TarInfo]:
    """Return an entry without owner and time, and with the two modes alone that git knows."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    entry.mode = 0o755 if entry.isdir() or entry.mode & EXECUTABLE else 0o644
    return entry
