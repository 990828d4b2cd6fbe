"""The commit that an image was built of. It stands beside the image and not in it.

An image follows from its files: a commit that changes none of them gives the same image, and the job's
cache still knows it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List
from urllib.parse import urlsplit

from esteira.git import git_or_empty
from esteira.source import Source

# git@host:path, which is no URL; https://git-scm.com/docs/git-clone#_git_urls
SCP_LIKE = re.compile(r"^(?:[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>[^/].*)$")
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
    parts = urlsplit(url)
    if parts.scheme in ("https", "http", "ssh", "git") and parts.hostname:
        return f"https://{parts.hostname}{without_suffix(parts.path)}"
    match = SCP_LIKE.match(url) if "://" not in url else None
    return f"https://{match['host']}/{without_suffix(match['path'])}" if match else ""


def without_suffix(path: str) -> str:
    path = path.rstrip("/")
    return path[: -len(".git")] if path.endswith(".git") else path
