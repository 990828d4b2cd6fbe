"""What git status tells of a working tree, all of it at one moment."""

import os
import re
from pathlib import Path
from typing import List, NamedTuple, Sequence

from esteira.errors import ProgramError, SourceError
from esteira.git import git_lines, unquote

# How many fields stand before the path in a line of each kind.
# https://git-scm.com/docs/git-status#_porcelain_format_version_2
FIELDS = {"1": 8, "u": 10, "?": 1}
NO_WORKING_TREE = re.compile("^fatal: (not a git repository|this operation must be run in a work tree)", re.MULTILINE)


class Status(NamedTuple):
    """The commit and the branch that are checked out, "" where there is none, and what differs from it.

    `present` and `deleted` hold changed paths as git prints them, relative to the folder that was asked
    for; `nested` those of folders that are repositories of their own and no submodules.
    """

    commit: str
    branch: str
    present: List[str]
    deleted: List[str]
    nested: List[str]

    @property
    def is_clean(self) -> bool:
        return bool(self.commit) and not (self.present or self.deleted or self.nested)

    def number_of_files(self) -> int:
        """Return how many files differ; one that is deleted in the index and still there counts once."""
        return len({*self.present, *self.deleted, *self.nested})


def read_status(root: Path, without: Sequence[Path]) -> Status:
    """Return the status of a folder and of what is tracked, or new and not ignored, below it.

    What lies at or below one of the paths `without` is passed over. Raises SourceError if the folder is
    in no repository, ProgramError with git's own words if git is missing or cannot read it.
    """
    listed = status_lines(root)
    known = dict(line.split(" ", 2)[1:] for line in listed if line.startswith("#"))
    commit, branch = known["branch.oid"], known["branch.head"]
    status = Status("" if commit == "(initial)" else commit, "" if branch == "(detached)" else branch, [], [], [])
    top, left_out = root.resolve(), [resolve_folder(path) for path in without]
    for line in listed[len(known) :]:
        quoted = line.split(" ", FIELDS[line[0]])[-1]
        path = top / unquote(quoted)
        if any(path == other or other in path.parents for other in left_out):
            continue
        if unquote(quoted).endswith("/"):
            status.nested.append(unquote(quoted).rstrip("/"))
        else:
            (status.deleted if is_deleted(line, path) else status.present).append(quoted)
    return status


def is_deleted(line: str, path: Path) -> bool:
    """Return whether the working tree lacks a file, by what git says of it: a link may have its folder's place."""
    return "D" in line[2:4] if line.startswith("1") else not os.path.lexists(path)


def status_lines(root: Path) -> List[str]:
    options = ["--porcelain=v2", "--branch", "--no-ahead-behind", "--no-renames", "--untracked-files=all"]
    try:
        return git_lines(root, "-c", "status.relativePaths=true", "status", *options, "--", ".")
    except ProgramError as error:
        if not NO_WORKING_TREE.search(str(error)):
            raise
        raise SourceError(
            f"{root}: git finds no working tree here.\n{error}\n"
            "Expected a clone. Clone the repository, or run: git init && git add --all && git commit"
        ) from None


def resolve_folder(path: Path) -> Path:
    """Return a path as git sees it: the folders above may be symbolic links, and it may be one itself."""
    return path.parent.resolve() / path.name
