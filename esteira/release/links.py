"""Entries of a git tree that no part can be made of, as their digest would not tell what they lead to."""

import posixpath
import shlex
from typing import Dict, Optional

from esteira.errors import SourceError
from esteira.git import GITLINK, LINK, git
from esteira.release.partition import is_above
from esteira.source import Source


def check_entries(source: Source, part: str, files: Dict[str, str]) -> None:
    """Raise SourceError for a submodule, or a symbolic link that leads to no file of the part.

    `files` are the part's, as path to "mode id".
    """
    special = {
        path: entry
        for path, entry in source.files.items()
        if entry.startswith((GITLINK, LINK)) and (path in files or is_above(part, path))
    }
    links = {path: read_link(source, entry) for path, entry in special.items() if entry.startswith(LINK)}
    for path in special:
        if path not in links:
            raise SourceError(
                f"{path}: is a repository of its own, such as a submodule, but part {part} is made of files.\n"
                f"Expected its files in this repository. Run: {absorb_command(path)}"
            )
        if follow(path, links, files) is None:
            raise SourceError(
                f"{path}: is a symbolic link to {links[path]}, which is no file of part {part}.\n"
                "Expected a relative link to a file of the same part. Put a copy of the file in its place."
            )


def absorb_command(path: str) -> str:
    """Return what to type so that a nested repository or a submodule becomes files of the repository around it."""
    place = shlex.quote(path)
    # git add alone keeps a submodule's entry in the index.
    forget = f"git rm -qf --cached --ignore-unmatch -- {place}"
    return f"rm -rf {shlex.quote(f'{path}/.git')} && {forget} && git add -- {place}"


def read_link(source: Source, entry: str) -> str:
    """Return what the link says, from git and not from the disk."""
    return git(source.root, "cat-file", "blob", entry.split(" ")[1], variables=source.variables)


def follow(path: str, targets: Dict[str, str], files: Dict[str, str]) -> Optional[str]:
    """Return the file that a link leads to in the end, None if that is none of the part's."""
    seen = set()
    while path in targets and path not in seen:
        seen.add(path)
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), targets[path]))
    return path if path in files and path not in targets else None
