"""Tiny wheels, written here: the same bytes each time and on every machine."""

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Container, List, Mapping, Optional, Sequence, Union

import deflate

from esteira.images.layers.groups import WheelFile
from esteira.release.digest import digest_file

# More than the builder packs again, in lines that deflate makes smaller.
LARGE = "".join(f"line {number} of a large file\n" for number in range(4000))
TIME = (2020, 2, 2, 2, 2, 2)
NO_PYTHON_3 = 'print "a file that no Python 3 compiles"\n'
CONSOLE = "[console_scripts]\n{name} = {module}:main\n"
Content = Union[str, bytes]


class Deflating:
    """What zipfile takes for a compressor: libdeflate, since the zlib of each system writes other bytes."""

    def __init__(self) -> None:
        self._parts: List[bytes] = []

    def compress(self, part: bytes) -> bytes:
        self._parts.append(bytes(part))
        return b""

    def flush(self) -> bytes:
        packed: bytes = bytes(deflate.deflate_compress(b"".join(self._parts), 6))
        return packed


def make_wheel(
    folder: Path,
    name: str,
    files: Mapping[str, Content],
    *,
    version: str = "1.0",
    entry_points: str = "",
    programs: Container[str] = (),
    links: Container[str] = (),
    stored: bool = False,
    metadata: Sequence[str] = (),
    record: Optional[Mapping[str, str]] = None,
) -> WheelFile:
    """Write a wheel of some files and return it.

    `programs` have an x bit and `links` are marked as symbolic links; `stored` ones are not packed;
    `metadata` are more lines of METADATA; `record` maps paths to rows that stand in RECORD in place of the right ones.
    """
    info = f"{name}-{version}.dist-info"
    contents = {path: as_bytes(content) for path, content in files.items()}
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata]
    contents[f"{info}/METADATA"] = as_bytes("\n".join([*lines, ""]))
    contents[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if entry_points:
        contents[f"{info}/entry_points.txt"] = as_bytes(entry_points)
    contents[f"{info}/RECORD"] = record_of(contents, f"{info}/RECORD", record or {})
    path = folder / f"{name}-{version}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for place, content in contents.items():
            mode = 0o120777 if place in links else 0o100755 if place in programs else 0o100644
            write_member(archive, place, content, mode, stored)
    return wheel_file(path, name, version)


def wheel_file(path: Path, name: str, version: str) -> WheelFile:
    """Return a wheel as the lock would name it."""
    return WheelFile(name, version, digest_file(path).partition(":")[2], path, path.stat().st_size)


def write_member(archive: zipfile.ZipFile, path: str, content: bytes, mode: int, stored: bool) -> None:
    info = zipfile.ZipInfo(path, TIME)
    info.create_system, info.external_attr = 3, mode << 16
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with archive.open(info, "w") as stream:
        if not stored:
            stream._compressor = Deflating()  # type: ignore[attr-defined]
        stream.write(content)


def record_of(contents: Mapping[str, bytes], own: str, instead: Mapping[str, str]) -> bytes:
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    for path, content in contents.items():
        if path in instead:
            rows.write(instead[path])
        else:
            value = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            writer.writerow([path, f"sha256={value}", len(content)])
    writer.writerow([own, "", ""])
    return rows.getvalue().encode("utf-8")


def as_bytes(content: Content) -> bytes:
    return content.encode("utf-8") if isinstance(content, str) else content


def damage(path: Path, name: str) -> None:
    """Change a byte in the middle of a file in a wheel."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
    content = bytearray(path.read_bytes())
    content[info.header_offset + 30 + len(name) + info.compress_size // 2] ^= 0xFF
    path.write_bytes(content)


def rich_wheel(folder: Path) -> WheelFile:
    """Return a wheel with all that wheels can hold."""
    data = "rich-1.0.data"
    files = {
        "rich/__init__.py": "def main() -> None:\n    print('rich')\n",
        "rich/large.txt": LARGE,
        "rich/large.py": f"TEXT = '''{LARGE}'''\n",
        "rich/olá.txt": "a name beyond ASCII\n",
        f"rich/{'long/' * 30}name.txt": "a path of more than 100 characters\n",
        "rich/old.py": NO_PYTHON_3,
        "rich/program.sh": "#!/bin/sh\necho rich\n",
        "rich/empty.txt": "",
        f"{data}/scripts/rich-script": "#!python\nprint('a script')\n",
        f"{data}/scripts/rich-shell": "#!/bin/sh\necho shell\n",
        f"{data}/scripts/rich-plain": "#!python -E\nprint('no x bit')\n",
        f"{data}/data/share/rich/data.txt": "data\n",
        f"{data}/data/etc/program": "#!/bin/sh\n",
        f"{data}/headers/rich.h": "#define RICH 1\n",
        f"{data}/purelib/rich_more.py": "MORE = 1\n",
    }
    programs = {"rich/program.sh", f"{data}/data/etc/program", f"{data}/scripts/rich-script"}
    points = "[console_scripts]\nrich = rich:main\nrich-dotted = rich:main.__call__\n\n[other.group]\nx = rich:main\n"
    return make_wheel(folder, "rich", files, entry_points=points, programs={*programs, f"{data}/scripts/rich-shell"})
