"""References to images: [host[:port]/]path[:tag][@sha256:hex], as people and manifests write them.

Source of the grammar and of Docker Hub's short names: distribution's reference package.
"""

import dataclasses
import re
from dataclasses import dataclass
from typing import Mapping, Tuple

from esteira.errors import ImageError
from esteira.images.registry.hosts import DOCKER_HUB, DOCKER_HUB_NAMES

EXPECTED = "[host[:port]/]path[:tag][@sha256:<64 hex>], such as docker.io/library/python:3.8-slim"
HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
WORD = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
PATTERN = re.compile(
    rf"(?:(?P<host>{HOST})/)?(?P<path>{WORD}(?:/{WORD})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Reference:
    """An image in a registry. `tag` and `digest` are empty where none is named."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.host}/{self.repository}{tag}{digest}"

    def pinned(self, digest: str) -> "Reference":
        return dataclasses.replace(self, digest=digest)


def parse_reference(text: str) -> Reference:
    """Return the reference that a text is, with Docker Hub's short names made long; ImageError if it is none."""
    host, rest = split_host(text)
    match = PATTERN.fullmatch(f"{host}/{rest}")
    if match is None or not match["host"]:
        raise ImageError(f'"{text}" is no reference to an image. Expected {EXPECTED}.')
    path = match["path"]
    if host == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    return Reference(host, path, match["tag"] or "", match["digest"] or "")


def split_host(text: str) -> Tuple[str, str]:
    """Return the registry and the rest: a first word without a dot, a colon or `localhost` is no host."""
    first, slash, rest = text.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return (DOCKER_HUB, rest) if first in DOCKER_HUB_NAMES else (first, rest)
    return DOCKER_HUB, text


def mirrored(reference: Reference, mirrors: Mapping[str, str]) -> Reference:
    """Return where an image is to be had: its mirror's host and path, with its own path, tag and digest.

    `mirrors` maps a host to host[:port][/path], such as docker.io to europe-west1-docker.pkg.dev/my-project/dockerhub.
    Raises ImageError if the mirror names no registry.
    """
    mirror = mirrors.get(reference.host)
    if mirror is None:
        return reference
    host, rest = split_host(f"{mirror.rstrip('/')}/{reference.repository}")
    if host == DOCKER_HUB or PATTERN.fullmatch(f"{host}/{rest}") is None:
        raise ImageError(
            f'mirror of {reference.host}: "{mirror}" names no registry. '
            "Expected host[:port][/path], such as europe-west1-docker.pkg.dev/my-project/dockerhub."
        )
    return dataclasses.replace(reference, host=host, repository=rest)
