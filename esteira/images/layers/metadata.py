"""What a wheel says of itself: its licence and what it needs, kept once it was read.

Reading all of a lock's takes more than a second, and they never change.
"""

import json
import zipfile
from dataclasses import asdict, dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional

from esteira.errors import ImageError
from esteira.files import write_json
from esteira.images.layers.groups import WheelFile
from esteira.images.layout import Layout

# To be raised when other things are read: what was kept under another one is not used.
FORM = 2
CLASSIFIER = "License :: "


@dataclass(frozen=True)
class Package:
    """A package's licence, "" where it names none, and the names of those that it needs, extras apart."""

    licence: str
    needs: List[str]


def read_package(layout: Layout, wheel: WheelFile) -> Package:
    """Return what a wheel says of itself; ImageError if it has no metadata."""
    package = kept_package(layout, wheel.sha256)
    if package is None:
        package = describe(read_metadata(wheel.path))
        keep_package(layout, wheel.sha256, package)
    return package


def kept_package(layout: Layout, sha256: str) -> Optional[Package]:
    """Return what was kept of the wheel of a hash, None if it was not read yet."""
    try:
        return Package(**json.loads(package_record(layout, sha256).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def keep_package(layout: Layout, sha256: str, package: Package) -> None:
    write_json(package_record(layout, sha256), asdict(package))


def package_record(layout: Layout, sha256: str) -> Path:
    return layout.folder / "packages" / f"{sha256}.{FORM}.json"


def describe(metadata: Message) -> Package:
    return Package(licence_of(metadata), sorted(set(needs_of(metadata))))


def licence_of(metadata: Message) -> str:
    """Return the licence in a line, as the newest of the fields for it tells it. https://peps.python.org/pep-0639"""
    return (
        first_line(metadata.get("License-Expression"))
        or first_line(metadata.get("License"))
        or ", ".join(classified(metadata.get_all("Classifier") or []))
    )


def first_line(value: Any) -> str:
    """Return the first line of a field, "" where it is missing or UNKNOWN, as old setuptools wrote it."""
    lines = str(value or "").strip().splitlines()
    line = lines[0].strip() if lines else ""
    return "" if line.upper() == "UNKNOWN" else line


def classified(classifiers: Iterable[Any]) -> List[str]:
    """Return the licences that trove classifiers name; they do not say whether all or any of them hold.

    "License :: OSI Approved" alone names none.
    """
    found = [str(line).strip() for line in classifiers]
    names = [line.rpartition(" :: ")[2] for line in found if line.startswith(CLASSIFIER)]
    return [name for name in names if name != "OSI Approved"]


def needs_of(metadata: Message) -> Iterator[str]:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    for line in metadata.get_all("Requires-Dist") or []:
        try:
            requirement = Requirement(str(line))
        except InvalidRequirement:
            continue
        # Markers are asked of this Python: as the image's, a 3.8 on Linux.
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def read_metadata(path: Path) -> Message:
    """Return a wheel's METADATA. https://packaging.python.org/en/latest/specifications/core-metadata"""
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = [name for name in archive.namelist() if is_metadata(name)]
            return HeaderParser().parsestr(archive.read(name).decode("utf-8", "replace"))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ImageError(f"{path}: has no readable METADATA: {error}. Remove it and run: make wheels") from None


def is_metadata(name: str) -> bool:
    return name.count("/") == 1 and name.endswith(".dist-info/METADATA")
