"""What lies at an artifact's place: its extent, and a digest of its content."""

import hashlib
import os
from pathlib import Path
from typing import Iterator

CHUNK_BYTES = 1 << 20


def measure_extent(uri: str) -> str:
    """Return the number and the bytes of the files at `uri`, "" if nothing lies there on this machine."""
    place = Path(uri)
    if not place.exists():
        return ""
    sizes = [path.stat().st_size for path in walk_files(place)]
    return f"{len(sizes)} files, {sum(sizes)} bytes"


def digest_content(uri: str) -> str:
    """Return a digest of the names and bytes of the files at `uri`, "" if there is nothing.

    Time stamps do not count.
    """
    place = Path(uri)
    if not place.exists():
        return ""
    total = hashlib.sha256()
    for path in walk_files(place):
        total.update(f"{path.relative_to(place)}\0{digest_file(path)}\n".encode())
    return f"sha256:{total.hexdigest()}"


def digest_file(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
            found.update(chunk)
    return found.hexdigest()


def walk_files(place: Path) -> Iterator[Path]:
    """Yield the files at `place`, which may be one itself, sorted."""
    if place.is_file():
        yield place
        return
    for folder, folders, names in os.walk(place):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names))
