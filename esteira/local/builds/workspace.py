"""A build's own copy of the source, under <state>/builds/<build id>/workspace.

The folder of a build is locked while the build runs, so that another build can tell it from one that
a killed build left behind.
"""

import fcntl
import os
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, Optional

from esteira.files import telling_os_errors, write_text
from esteira.local.builds.source import Source, git, unquote
from esteira.settings import Settings

GITLINK = "160000"


@contextmanager
def claim_folder(settings: Settings, build_id: str) -> Iterator[Path]:
    """Make the build's folder and hold its lock; what killed builds left is removed, but the last."""
    builds = settings.state / "builds"
    folder = builds / build_id
    with telling_os_errors("make the build's folder", folder):
        builds.mkdir(parents=True, exist_ok=True)
        keep_out_of_git(settings)
        with locked(builds):
            prune(builds, keep=latest(builds))
            folder.mkdir()
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        os.close(lock)


def keep_out_of_git(settings: Settings) -> None:
    """Have git ignore a state folder in the repository, so that it makes no working tree dirty."""
    ignored = settings.state / ".gitignore"
    if settings.root in settings.state.parents and not ignored.exists():
        write_text(ignored, "*\n")


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
    folders = [(folder.stat().st_mtime, folder) for folder in builds.iterdir() if folder.is_dir()]
    return max(folders)[1] if folders else None


def is_locked(folder: Path) -> bool:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(handle)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def fill_workspace(workspace: Path, source: Source, settings: Settings) -> List[str]:
    """Lay down the source; return plain lines on what it is and on what is not in it."""
    lines = [source.describe()]
    with telling_os_errors("lay down the source", workspace):
        workspace.mkdir()
        if source.is_dirty:
            missing = copy_working_tree(source.root, workspace, settings.state)
        else:
            missing = check_out_commit(source, workspace)
    if missing:
        lines.append(f"submodules are not laid down, as in Cloud Build: {', '.join(missing)}")
    return lines


def check_out_commit(source: Source, workspace: Path) -> List[str]:
    """Write the files of a commit, with git's own filters, and return its submodules.

    `git archive` is not used: it leaves out what .gitattributes calls export-ignore.
    """
    top = Path(git(source.root, "rev-parse", "--show-toplevel").rstrip("\n"))
    prefix = git(source.root, "rev-parse", "--show-prefix").rstrip("\n")
    index = str(workspace.parent / "index")
    git(top, "read-tree", f"{source.commit}:{prefix}", index=index)
    git(top, "checkout-index", "--all", "--quiet", f"--prefix={workspace}/", index=index)
    staged = git(top, "ls-files", "--stage", index=index)
    os.unlink(index)
    return gitlinks(staged)


def gitlinks(staged: str) -> List[str]:
    """Return the submodules in the output of git ls-files --stage."""
    entries = [line.partition("\t") for line in staged.splitlines()]
    return [unquote(path) for mode, _, path in entries if mode.startswith(GITLINK)]


def copy_working_tree(root: Path, workspace: Path, state: Path) -> List[str]:
    """Copy every file that git tracks or would add, but deleted ones; return the submodules."""
    missing = gitlinks(git(root, "ls-files", "--stage"))
    listed = git(root, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    inside = os.path.join(os.path.relpath(state, root), "")
    for path in map(unquote, dict.fromkeys(listed)):
        if path.endswith("/"):
            missing.append(path.rstrip("/"))
        elif path not in missing and not path.startswith(inside):
            copy_entry(root / path, workspace / path)
    return missing


def copy_entry(origin: Path, target: Path) -> None:
    """Copy a file with its mode, or a symbolic link as a link; skip what is not there."""
    try:
        mode = origin.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(origin), target)
    elif stat.S_ISREG(mode):
        shutil.copyfile(origin, target)
        target.chmod(stat.S_IMODE(mode))
