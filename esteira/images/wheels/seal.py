"""Packing a wheel anew, so that its bytes tell nothing of the machine that built it."""

import zipfile
from pathlib import Path

# The first time that a zip file can tell.
EPOCH = (1980, 1, 1, 0, 0, 0)
UNIX = 3


def seal_wheel(built: Path, target: Path) -> None:
    """Write the files of a wheel in one order, with one time and plain modes.

    They are stored, not compressed: another machine's zlib gives other bytes.
    """
    with zipfile.ZipFile(built) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as sealed:
        for entry in sorted(source.infolist(), key=lambda entry: (".dist-info/" in entry.filename, entry.filename)):
            copy = zipfile.ZipInfo(entry.filename, EPOCH)
            copy.create_system = UNIX
            executable = (entry.external_attr >> 16) & 0o111
            copy.external_attr = (0o100755 if executable else 0o100644) << 16
            sealed.writestr(copy, source.read(entry))
