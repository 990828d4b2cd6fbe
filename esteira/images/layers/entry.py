"""What a layer holds: files, folders and links, each with its content or where that lies."""

import hashlib
import stat
import zipfile
from dataclasses import dataclass
from typing import IO, Optional

FILE_MODE = 0o644
PROGRAM_MODE = 0o755
# What the mark of a link begins with.
LINK_MARK = "link:"


@dataclass(frozen=True)
class Member:
    """A file in a wheel that stays open. It is read when the layer is written, not before."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    def read(self) -> bytes:
        """Return the whole content; zipfile.BadZipFile if its checksum is wrong."""
        return self.archive.read(self.info)

    def open(self) -> IO[bytes]:
        return self.archive.open(self.info)

    @property
    def is_program(self) -> bool:
        """Whether pip would make it executable: a regular file with an x bit."""
        mode = self.info.external_attr >> 16
        return bool(stat.S_ISREG(mode) and mode & 0o111)


@dataclass(frozen=True)
class Entry:
    """A thing in a layer, at a path without a leading slash.

    A file has `content` or `member`, a link `target`, and a folder none of them. `mark` tells contents
    and targets apart, `owner` is the package that a file or link belongs to.
    """

    path: str
    mode: int
    content: Optional[bytes] = None
    member: Optional[Member] = None
    target: str = ""
    mark: str = ""
    owner: str = ""

    @property
    def size_bytes(self) -> int:
        if self.member is not None:
            return self.member.info.file_size
        return len(self.content or b"")

    @property
    def is_folder(self) -> bool:
        return self.content is None and self.member is None and not self.target


def file_entry(path: str, content: bytes, *, program: bool = False, owner: str = "") -> Entry:
    """Return a file with normal modes."""
    mark = hashlib.sha256(content).hexdigest()
    mode = PROGRAM_MODE if program else FILE_MODE
    return Entry(path.lstrip("/"), mode, content=content, mark=mark, owner=owner)


def link_entry(path: str, target: str, *, owner: str = "") -> Entry:
    return Entry(path.lstrip("/"), 0o777, target=target, mark=f"{LINK_MARK}{target}", owner=owner)


def folder_entry(path: str, mode: int = PROGRAM_MODE) -> Entry:
    return Entry(path.strip("/"), mode)
