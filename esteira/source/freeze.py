"""Freezing what is here: the commit's tree or, where files differ from it, a tree that is written of them.

The user's repository is left as it is: files are added to a copy of its index, and the objects that
this makes go to a folder of the state.
"""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from esteira.errors import ProgramError, SourceError
from esteira.git import GITLINK, alternates, git, git_or_empty, git_path, list_tree, unquote
from esteira.source.scratch import scratch_folder
from esteira.source.source import Source

# The index is written whole and with no watcher, as it is a copy; blobs are not compressed, as they are
# soon removed; a file that autocrlf would change on its way back is no error here.
WRITING = ("core.splitIndex=false", "core.fsmonitor=false", "core.compression=0", "core.safecrlf=false")


class Changes(NamedTuple):
    """What git status names: paths as it prints them, and repositories in the folder that are no submodules."""

    quoted: List[str]
    nested: List[str]


@contextmanager
def frozen_source(root: Path, state: Path, without: str = "") -> Iterator[Source]:
    """Yield the source in a git repository's folder, with a tree that no edit changes any more.

    It is the tree of the commit or, where tracked files were changed or there are new ones that git
    does not ignore, one with them. The state folder is left out, and so is the file `without`, an
    absolute path: data that is trained on is named by its content and is no source. Raises
    SourceError if the folder is in no repository.
    """
    require_working_tree(root)
    commit = git_or_empty(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    base = tree_below(root, commit)
    changes = changes_below(root, [state, Path(without)] if without else [state])
    if commit and not any(changes):
        yield describe(root, commit, base, list_tree(root, base), 0)
        return
    with scratch_folder(root, state) as objects:
        found = alternates(objects)
        tree = tree_below(root, write_tree(root, objects, changes.quoted), found)
        files = list_tree(root, tree, found)
        files.update((path, f"{GITLINK} {'0' * len(tree)}") for path in changes.nested)
        changed = count_differences(root, base, tree, found) + len(changes.nested)
        yield describe(root, commit, tree, files, changed, objects)


def require_working_tree(root: Path) -> None:
    try:
        inside = git(root, "rev-parse", "--is-inside-work-tree").strip()
    except ProgramError as error:
        raise SourceError(
            f"{root}: git finds no repository here.\n{error}\n"
            "Expected a clone. Clone the repository, or run: git init && git add --all && git commit"
        ) from None
    if inside != "true":
        raise SourceError(f"{root}: is a git folder without a working tree. Run the command in a clone.")


def tree_below(root: Path, tree: str, variables: Optional[Mapping[str, str]] = None) -> str:
    """Return the tree of the folder `root` in a commit or a whole tree, git's empty tree if it is not in there."""
    if tree:
        try:
            return git(root, "rev-parse", "--verify", "--quiet", f"{tree}:./", variables=variables).strip()
        except ProgramError:
            pass
    return git(root, "hash-object", "-t", "tree", "--stdin", input_text="").strip()


def changes_below(root: Path, without: Sequence[Path]) -> Changes:
    """Return what differs from the commit and is tracked, or new and not ignored."""
    changes = Changes([], [])
    listed = git(root, "status", "--porcelain", "--no-renames", "--untracked-files=all", "--", ".").splitlines()
    if not listed:
        return changes
    top = Path(git(root, "rev-parse", "--show-toplevel").rstrip("\n"))
    left_out = [top / resolve_folder(path) for path in without]
    for quoted in (line[3:] for line in listed):
        path = unquote(quoted)
        if any(top / path == other or other in (top / path).parents for other in left_out):
            continue
        if path.endswith("/"):
            changes.nested.append(os.path.relpath(top / path, root.resolve()))
        else:
            changes.quoted.append(quoted)
    return changes


def resolve_folder(path: Path) -> Path:
    """Return a path as git names it: the folders above may be symbolic links, but it may be one itself."""
    return path.parent.resolve() / path.name


def write_tree(root: Path, objects: Path, quoted: List[str]) -> str:
    """Write the whole repository's tree, with the given paths as they are on disk, and return its id."""
    index = objects / "index"
    ours = git_path(root, "index")
    if ours.exists():
        # With its time stamp: by it git knows which files may have changed in the instant the index was written.
        shutil.copy2(ours, index)
    variables = {
        **alternates(git_path(root, "objects").absolute()),
        "GIT_INDEX_FILE": str(index),
        "GIT_OBJECT_DIRECTORY": str(objects),
    }
    top = root / git(root, "rev-parse", "--show-cdup").rstrip("\n")
    flags = [flag for setting in WRITING for flag in ("-c", setting)]
    update = ["update-index", "--add", "--remove", "--replace", "--stdin"]
    git(top, *flags, *update, variables=variables, input_text="".join(f"{path}\n" for path in quoted))
    return git(top, *flags, "write-tree", "--missing-ok", variables=variables).strip()


def count_differences(root: Path, base: str, tree: str, variables: Mapping[str, str]) -> int:
    options = ["-r", "--name-only", "--no-renames"]
    return len(git(root, "diff-tree", *options, base, tree, variables=variables).splitlines())


def describe(
    root: Path, commit: str, tree: str, files: Dict[str, str], changed: int, objects: Optional[Path] = None
) -> Source:
    return Source(
        root=root,
        commit=commit,
        branch=git_or_empty(root, "symbolic-ref", "--quiet", "--short", "HEAD"),
        changed=changed,
        repository=repository_name(root),
        tree=tree,
        files=files,
        objects=objects,
    )


def repository_name(root: Path) -> str:
    """Return the last part of the URL of `origin`, else of the folder's name."""
    url = git_or_empty(root, "config", "--get", "remote.origin.url")
    name = url.rstrip("/").replace(":", "/").rpartition("/")[2]
    return name[: -len(".git")] if name.endswith(".git") else name or root.resolve().name
