"""What a source differs in from its commit, as a patch, so that a release of it can be built again."""

import tempfile
from pathlib import Path
from typing import Sequence

from esteira.git import git
from esteira.source.freeze import tree_below
from esteira.source.source import Source


def source_patch(source: Source, patterns: Sequence[str], without: Sequence[str] = ()) -> bytes:
    """Return what `git apply` makes the frozen tree of its commit with, empty if nothing differs.

    Only files that match one of the patterns, in git's own form, and none of `without` are in it. Paths
    are relative to the source's root; where that is a folder of a bigger repository:
    git apply --directory=<the folder>.
    """
    if not source.is_dirty:
        return b""
    base = tree_below(source.root, source.commit)
    paths = [f":(top,glob){pattern}" for pattern in patterns]
    paths += [f":(top,exclude,glob){pattern}" for pattern in without]
    with tempfile.TemporaryDirectory() as scratch:
        # Into a file, since a patch is bytes in no encoding.
        output = Path(scratch) / "patch"
        options = ["-r", "--patch", "--binary", "--full-index", "--no-renames", "--no-textconv", f"--output={output}"]
        git(source.root, "diff-tree", *options, base, source.tree, "--", *paths, variables=source.variables)
        return output.read_bytes()
