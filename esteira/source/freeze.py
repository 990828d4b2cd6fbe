"""Freezing what is here: the commit's tree or, where files differ from it, a tree that is written of them.

The user's repository is left as it is: files are added to a copy of its index, and the objects that
this makes go to a folder of the state.
"""

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, Mapping, Optional

from esteira.errors import ProgramError
from esteira.git import GITLINK, alternates, git, git_lines, list_tree
from esteira.source.scratch import scratch_folder
from esteira.source.source import Source
from esteira.source.status import Status, read_status

# The index is written whole and with no watcher, as it is a copy; blobs are not compressed, as they are
# soon removed; a file that autocrlf would change on its way back is no error here.
WRITING = ("core.splitIndex=false", "core.fsmonitor=false", "core.compression=0", "core.safecrlf=false")


@contextmanager
def frozen_source(root: Path, state: Path, without: str = "") -> Iterator[Source]:
    """Yield the source in a git repository's folder, with a tree that no edit changes any more.

    It is the tree of the commit or, where tracked files were changed or there are new ones that git
    does not ignore, one with them. The state folder is left out, and so is the file `without`, an
    absolute path: data that is trained on is named by its content and is no source. Raises
    SourceError if the folder is in no repository.
    """
    status = read_status(root, [state, Path(without)] if without else [state])
    base = tree_below(root, status.commit)
    if status.is_clean:
        yield describe(root, status, base, list_tree(root, base), 0)
        return
    with scratch_folder(root, state) as objects:
        tree, found = write_tree(root, objects, status), alternates(objects)
        files = list_tree(root, tree, found)
        files.update((path, f"{GITLINK} {'0' * len(tree)}") for path in status.nested)
        changed = status.number_of_files() if tree != base or status.nested else 0
        yield describe(root, status, tree, files, changed, objects)


def tree_below(root: Path, tree: str, variables: Optional[Mapping[str, str]] = None) -> str:
    """Return the tree of the folder `root` in a commit or a whole tree, git's empty tree if it is not in there."""
    if tree:
        try:
            return git(root, "rev-parse", "--verify", "--quiet", f"{tree}:./", variables=variables).strip()
        except ProgramError:
            pass
    return git(root, "hash-object", "-t", "tree", "--stdin", input_text="").strip()


def write_tree(root: Path, objects: Path, status: Status) -> str:
    """Write the tree of the folder `root`, with what git status told of, and return its id."""
    up, *places = git_lines(root, "rev-parse", "--show-cdup", "--git-path", "index", "--git-path", "objects")
    index, known = ((root / place).absolute() for place in places)
    if index.exists():
        # With its time stamp: by it git knows which files may have changed in the instant the index was written.
        shutil.copy2(index, objects / "index")
    variables = {
        **alternates(known),
        "GIT_INDEX_FILE": str(objects / "index"),
        "GIT_OBJECT_DIRECTORY": str(objects),
    }
    flags = [flag for setting in WRITING for flag in ("-c", setting)]
    for how, paths in ((("--force-remove",), status.deleted), (("--add", "--remove", "--replace"), status.present)):
        if paths:
            lines = "".join(f"{path}\n" for path in paths)
            git(root, *flags, "update-index", *how, "--stdin", variables=variables, input_text=lines)
    tree = git(root, *flags, "write-tree", "--missing-ok", variables=variables).strip()
    return tree_below(root, tree, alternates(objects)) if up else tree


def describe(
    root: Path, status: Status, tree: str, files: Dict[str, str], changed: int, objects: Optional[Path] = None
) -> Source:
    return Source(
        root=root,
        commit=status.commit,
        branch=status.branch,
        changed=changed,
        tree=tree,
        files=files,
        objects=objects,
    )
