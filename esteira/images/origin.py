"""The commit that an image was built of. It stands beside the image and not in it.

An image follows from its files: a commit that changes none of them gives the same image, and the job's
cache still knows it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Tuple
from urllib.parse import urlsplit

from esteira.git import git_or_empty
from esteira.source import Source

HOST = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
# Neither @ nor a colon: what stands before them may be a password, wherever they are.
PATH = r"[A-Za-z0-9._~%+/-]*"
HOST_AND_PATH = re.compile(rf"(?P<host>{HOST})(?P<path>{PATH})")
# git@host:path, which is no URL; https://git-scm.com/docs/git-clone#_git_urls
SCP_LIKE = re.compile(rf"(?:[A-Za-z0-9._-]+@)?(?P<host>{HOST}):(?P<path>(?!/){PATH})")
REVISION = "org.opencontainers.image.revision"
SOURCE = "org.opencontainers.image.source"
DIRTY = "dev.esteira.dirty"


@dataclass(frozen=True)
class Origin:
    """A commit, whether files differ from it, and the repository's address, "" where it has none on the net."""

    commit: str
    dirty: bool
    url: str

    def annotations(self) -> Dict[str, str]:
        """Return what an image's index says of it. https://github.com/opencontainers/image-spec, annotations.md"""
        found = {REVISION: self.commit, SOURCE: self.url, DIRTY: "true" if self.dirty else ""}
        return {name: value for name, value in found.items() if value}

    def material(self) -> List[Dict[str, Any]]:
        """Return the commit as a material of an in-toto statement, none before the first commit."""
        address = f"git+{self.url}" if self.url else "git:"
        found = {"name": "source", "uri": address, "digest": {"gitCommit": self.commit}}
        return [found] if self.commit else []


def origin_of(source: Source) -> Origin:
    return Origin(source.commit, source.is_dirty, repository_url(source.root))


def repository_url(root: Path) -> str:
    """Return the address of the remote `origin` as https, without user and password; "" for a folder or none."""
    return public_url(git_or_empty(root, "config", "--get", "remote.origin.url"))


def public_url(url: str) -> str:
    """Return host and path of a remote's address as https; "" for one that is read in more than one way."""
    if "://" not in url:
        match = SCP_LIKE.fullmatch(url)
        return f"https://{match['host']}/{without_suffix(match['path'])}" if match else ""
    host, path = split_url(url)
    match = HOST_AND_PATH.fullmatch(f"{host}{path}")
    return f"https://{host}{without_suffix(path)}" if match and match["host"] == host else ""


def split_url(url: str) -> Tuple[str, str]:
    """Return a URL's host and path, two empty texts for what git does not fetch from over the net."""
    try:
        parts = urlsplit(url)
        # A port that is no number is the beginning of a password with a slash in it.
        known = parts.scheme in ("https", "http", "ssh", "git") and (parts.port is None or parts.port > 0)
    except ValueError:
        return "", ""
    # An @ that late ends a user and a password with a ? or a # in it.
    ambiguous = "@" in parts.query + parts.fragment
    return (parts.hostname or "", parts.path) if known and not ambiguous else ("", "")


def without_suffix(path: str) -> str:
    path = path.rstrip("/")
    return path[: -len(".git")] if path.endswith(".git") else path
