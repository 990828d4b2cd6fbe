"""What is in layers, read with Python's tarfile."""

import tarfile
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple

from esteira.images.layers.place import Place
from esteira.images.layers.store import Layer
from esteira.images.layout import Layout

PLACE = Place("/opt/venv", "/usr/local/bin/python3.8")
SITE = "opt/venv/lib/python3.8/site-packages"


class Found(NamedTuple):
    """A thing in a layer: "file", "folder" or "link", its mode, and its content or the link's target."""

    kind: str
    mode: int
    content: bytes = b""


def members_of(path: Path) -> List[tarfile.TarInfo]:
    """Return what is in a layer's file, in its order."""
    with tarfile.open(path, "r:gz") as archive:
        return archive.getmembers()


def tree_of(layout: Layout, layers: Iterable[Layer]) -> Dict[str, Found]:
    """Return what is in layers by its path, later ones over earlier ones."""
    found: Dict[str, Found] = {}
    for layer in layers:
        with tarfile.open(layout.blob(layer.digest), "r:gz") as archive:
            for member in archive:
                found[member.name] = describe(archive, member)
    return found


def describe(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Found:
    if member.issym():
        return Found("link", member.mode, member.linkname.encode("utf-8"))
    if member.isdir():
        return Found("folder", member.mode)
    stream = archive.extractfile(member)
    assert stream is not None
    return Found("file", member.mode, stream.read())


def extract(layout: Layout, layers: Iterable[Layer], folder: Path) -> Path:
    """Lay layers down in a folder, one over the other, and return it."""
    for layer in layers:
        with tarfile.open(layout.blob(layer.digest), "r:gz") as archive:
            archive.extractall(folder)
    return folder


def say_nothing(text: str) -> None:
    """For builds whose lines are of no interest."""
