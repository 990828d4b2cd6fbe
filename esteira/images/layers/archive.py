"""Writing a layer: a tar archive in gzip, the same bytes for the same entries, in flat memory.

The archive is a row of gzip members, which a reader sees as one stream (RFC 1952, section 2.2; eStargz
layers are made so, too). Large files keep the deflate stream that the wheel has them in, in a member
of its own: packing them again would take most of a build's time and make them no smaller. All else is
packed by libdeflate, which is a pinned wheel and gives equal bytes on every processor; the zlib that
Python was built with is another one on each system.
"""

import hashlib
import struct
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Iterable, Iterator, List, Set

import deflate

from esteira.errors import ImageError
from esteira.images.layers.entry import Entry, Member, folder_entry

# Of every file, folder and link: the first moment that a zip file can tell, in seconds since 1970.
EPOCH = 315532800
LEVEL = 6
MEMBER_BYTES = 1 << 20
# Files of wheels that are at least so large are not packed again.
SPLICE_BYTES = 1 << 16
CHUNK_BYTES = 1 << 20
BLOCK_BYTES = tarfile.BLOCKSIZE
# As libdeflate writes it: deflate, no flags, no time, no hint at the level, an unknown system.
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True)
class Written:
    """A layer that was written: the digest and size of the packed bytes, and the digest of the tar archive."""

    digest: str
    size_bytes: int
    diff_id: str


class LayerWriter:
    """Writes entries to a stream in the order that they are given in."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._packed = hashlib.sha256()
        self._plain = hashlib.sha256()
        self._waiting: List[bytes] = []
        self._waiting_bytes = 0
        self._size_bytes = 0

    def add(self, entry: Entry) -> None:
        """Write an entry; ImageError if a wheel's file is damaged."""
        self._write(header(entry))
        if entry.member is not None:
            self._add_member(entry.member)
        elif entry.content:
            self._write(entry.content)
        self._write(b"\0" * (-entry.size_bytes % BLOCK_BYTES))

    def finish(self) -> Written:
        self._write(b"\0" * (2 * BLOCK_BYTES))
        self._flush()
        return Written(f"sha256:{self._packed.hexdigest()}", self._size_bytes, f"sha256:{self._plain.hexdigest()}")

    def _add_member(self, member: Member) -> None:
        info = member.info
        if info.compress_type == zipfile.ZIP_DEFLATED and info.file_size >= SPLICE_BYTES:
            self._flush()
            self._splice(member)
            return
        with telling_damage(member), member.open() as stream:
            for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
                self._write(chunk)

    def _splice(self, member: Member) -> None:
        """Copy a deflate stream as a gzip member, and unpack it for the digest of the archive."""
        info, unpacked, checksum, size_bytes = member.info, zlib.decompressobj(-zlib.MAX_WBITS), 0, 0
        self._emit(GZIP_HEADER)
        with telling_damage(member):
            for chunk in raw_chunks(member):
                self._emit(chunk)
                plain = unpacked.decompress(chunk)
                self._plain.update(plain)
                checksum, size_bytes = zlib.crc32(plain, checksum), size_bytes + len(plain)
            if (checksum, size_bytes, unpacked.eof, unpacked.unused_data) != (info.CRC, info.file_size, True, b""):
                raise zipfile.BadZipFile(f"Bad CRC-32 for file {info.filename!r}")
        self._emit(struct.pack("<II", info.CRC, info.file_size & 0xFFFFFFFF))

    def _write(self, plain: bytes) -> None:
        self._plain.update(plain)
        self._waiting.append(plain)
        self._waiting_bytes += len(plain)
        if self._waiting_bytes >= MEMBER_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._waiting_bytes:
            self._emit(deflate.gzip_compress(b"".join(self._waiting), LEVEL))
        self._waiting, self._waiting_bytes = [], 0

    def _emit(self, packed: bytes) -> None:
        self._stream.write(packed)
        self._packed.update(packed)
        self._size_bytes += len(packed)


@contextmanager
def telling_damage(member: Member) -> Iterator[None]:
    """Turn what zipfile and zlib tell of a file in a wheel into an ImageError."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ImageError(
            f"{member.archive.filename}: {member.info.filename} is damaged: {error}. "
            "Remove the wheel and run: make wheels"
        ) from None


def header(entry: Entry) -> bytes:
    """Return the tar header of an entry: owner 0, one time for all, so that only path, mode and size tell."""
    info = tarfile.TarInfo(entry.path)
    info.mode, info.mtime, info.size = entry.mode, EPOCH, entry.size_bytes
    if entry.target:
        info.type, info.linkname = tarfile.SYMTYPE, entry.target
    elif entry.is_folder:
        info.type = tarfile.DIRTYPE
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def raw_chunks(member: Member) -> Iterable[bytes]:
    """Yield a file's bytes as they are packed in the wheel.

    https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.7: the local header is 30
    bytes, a name and an extra field, whose lengths need not be those of the directory.
    """
    assert member.archive.filename
    with open(member.archive.filename, "rb") as stream:
        stream.seek(member.info.header_offset)
        local = stream.read(30)
        stream.seek(sum(struct.unpack("<HH", local[26:30])), 1)
        left = member.info.compress_size
        while left:
            chunk = stream.read(min(CHUNK_BYTES, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk


def with_folders(entries: Iterable[Entry]) -> List[Entry]:
    """Return entries sorted by path, every folder above them included."""
    known = {entry.path: entry for entry in entries}
    folders: Set[str] = set()
    for path in known:
        while "/" in path:
            path = path.rpartition("/")[0]
            if path in folders:
                break
            folders.add(path)
    return sorted(
        [*known.values(), *(folder_entry(path) for path in folders if path not in known)],
        key=lambda entry: entry.path.split("/"),
    )
