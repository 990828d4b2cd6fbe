"""What lies at an artifact's place: its extent, and a digest of its content."""

import os
from pathlib import Path
from typing import Iterator

from esteira.release.digest import digest_files


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
    return digest_files((str(path.relative_to(place)), path) for path in walk_files(place))


def walk_files(place: Path) -> Iterator[Path]:
    """Yield the files at `place`, which may be one itself, sorted."""
    if place.is_file():
        yield place
        return
    for folder, folders, names in os.walk(place):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names))
