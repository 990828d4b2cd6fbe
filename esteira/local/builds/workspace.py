"""A build's own copy of the source, under <state>/builds/<build id>/workspace.

The folder of a build is locked while the build runs, so that another build can tell it from one that
a killed build left behind.
"""

import os
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator, List, Optional

from esteira.files import telling_os_errors
from esteira.git import git
from esteira.locks import is_locked, locked, take_folder
from esteira.settings import Settings
from esteira.source import Source
from esteira.source.scratch import keep_out_of_git

SAME_EVERYWHERE = ("core.autocrlf=false", "core.eol=lf", "core.attributesFile=/dev/null")


@contextmanager
def claim_folder(settings: Settings, build_id: str) -> Iterator[Path]:
    """Make the build's folder and hold its lock; what killed builds left is removed, but the last."""
    builds = settings.state / "builds"
    folder = builds / build_id
    with telling_os_errors("make the build's folder", folder):
        builds.mkdir(parents=True, exist_ok=True)
        keep_out_of_git(settings.root, settings.state)
        with locked(builds):
            prune(builds, keep=latest(builds))
            folder.mkdir()
            lock = take_folder(folder)
    try:
        yield folder
    finally:
        os.close(lock)


def drop_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def keep_only(folder: Path) -> None:
    """Remove the folders of all builds that are over, except this one's."""
    with locked(folder.parent):
        prune(folder.parent, keep=folder)


def prune(builds: Path, keep: Optional[Path]) -> None:
    for folder in builds.iterdir():
        if folder != keep and folder.is_dir() and not is_locked(folder):
            drop_folder(folder)


def latest(builds: Path) -> Optional[Path]:
    """Return the folder that was changed last. A build that is over may remove its own meanwhile."""
    folders = []
    for folder in builds.iterdir():
        with suppress(FileNotFoundError):
            status = folder.stat()
            folders += [(status.st_mtime, folder)] if stat.S_ISDIR(status.st_mode) else []
    return max(folders)[1] if folders else None


def fill_workspace(workspace: Path, source: Source) -> List[str]:
    """Lay down the source's tree; return plain lines on what it is and on what is not in it.

    The files are written by git with its filters, but alike on each machine: no setting of a user's
    own changes line ends. `git archive` is not used: it leaves out what .gitattributes calls export-ignore.
    """
    index = workspace.parent / "index"
    with telling_os_errors("lay down the source", workspace):
        workspace.mkdir()
        variables = {
            **source.variables,
            "GIT_DIR": git(source.root, "rev-parse", "--absolute-git-dir").rstrip("\n"),
            "GIT_WORK_TREE": str(workspace.absolute()),
            "GIT_INDEX_FILE": str(index.absolute()),
            "GIT_ATTR_NOSYSTEM": "1",
        }
        flags = [flag for setting in SAME_EVERYWHERE for flag in ("-c", setting)]
        git(workspace, *flags, "read-tree", source.tree, variables=variables)
        git(workspace, *flags, "checkout-index", "--all", "--quiet", variables=variables)
        index.unlink()
    lines = [source.describe()]
    if source.submodules:
        lines.append(f"submodules are not laid down, as in Cloud Build: {', '.join(source.submodules)}")
    return lines
