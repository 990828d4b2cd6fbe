"""The entries of an installed wheel, as pip lays them down, made by PyPA's `installer`."""

import base64
import hashlib
import os
import posixpath
import zipfile
import zlib
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set, Tuple, Union

from installer import install
from installer.destinations import WheelDestination
from installer.exceptions import InstallerError
from installer.records import Hash, InvalidRecordEntry, RecordEntry, parse_record_file
from installer.scripts import Script
from installer.sources import WheelFile
from installer.utils import Scheme, construct_record_file, fix_shebang, parse_entrypoints

from esteira.errors import ImageError
from esteira.images.layers.bytecode import Compiler, byte_code_path
from esteira.images.layers.entry import FILE_MODE, PROGRAM_MODE, Entry, Member, file_entry
from esteira.images.layers.place import Place

# What a file that is no sound wheel makes installer, zipfile and zlib raise.
UNSOUND = (InstallerError, InvalidRecordEntry, zipfile.BadZipFile, zlib.error, ValueError, KeyError, AssertionError)


class LazyWheel(WheelFile):
    """A wheel whose files are named, and read later."""

    def get_contents(self) -> Iterator[Tuple[Tuple[str, str, str], Any, bool]]:
        rows = {row[0]: row for row in parse_record_file(self.read_dist_info("RECORD").splitlines())}
        wrappers = self._wrappers()
        for info in sorted(self._zipfile.infolist(), key=lambda info: info.filename):
            if not info.is_dir() and info.filename not in wrappers:
                member = Member(self._zipfile, info)
                yield rows.get(info.filename, (info.filename, "", "")), NamedMember(member, rows), member.is_program

    def _wrappers(self) -> Set[str]:
        """Return the paths of scripts that an entry point makes, too: as with pip, that one's are taken."""
        if "entry_points.txt" not in self.dist_info_filenames:
            return set()
        points = parse_entrypoints(self.read_dist_info("entry_points.txt"))
        return {f"{self.data_dir}/scripts/{name}" for name, *_ in points}


class NamedMember:
    """What passes for a stream on its way through `install`: a member and the hash that the wheel's RECORD has."""

    def __init__(self, member: Member, rows: Dict[str, Tuple[str, str, str]]) -> None:
        self.member = member
        _, self.hash, _ = rows.get(member.info.filename, ("", "", ""))


class LayerDestination(WheelDestination):
    """Takes what `install` writes as entries of a layer."""

    def __init__(self, owner: str, distribution: str, place: Place, compiler: Optional[Compiler]) -> None:
        self.entries: List[Entry] = []
        self._owner = owner
        self._distribution = distribution
        self._place = place
        self._compiler = compiler

    def write_script(self, name: str, module: str, attr: str, section: Any) -> RecordEntry:
        script, content = Script(name, module, attr, section).generate(self._place.interpreter, "posix")
        return self._write_bytes(Scheme("scripts"), script, content, program=True)

    def write_file(
        self, scheme: Scheme, path: "Union[str, os.PathLike[str]]", stream: Any, is_executable: bool
    ) -> RecordEntry:
        path, member = os.fspath(path), stream.member
        if scheme == "scripts":
            with member.open() as opened, fix_shebang(opened, self._place.interpreter) as mended:
                return self._write_bytes(scheme, path, mended.read(), program=is_executable)
        mode = PROGRAM_MODE if is_executable else FILE_MODE
        # A wheel that tells no hash of a file: its checksum and size must do to tell it from another one.
        mark = stream.hash or f"crc32={member.info.CRC:08x}:{member.info.file_size}"
        self.entries.append(Entry(self._full_path(scheme, path), mode, member=member, mark=mark, owner=self._owner))
        known = Hash.parse(stream.hash) if stream.hash else None
        return RecordEntry(path, known, member.info.file_size)

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[Tuple[Scheme, RecordEntry]]
    ) -> None:
        rows = [*records, *self._compile(scheme)]
        stream = construct_record_file(rows, lambda other: self._prefix(scheme, other))
        path = self._full_path(scheme, record_file_path)
        self.entries.append(file_entry(path, stream.read(), owner=self._owner))

    def _compile(self, scheme: Scheme) -> Iterator[Tuple[Scheme, RecordEntry]]:
        """Add the byte code of each module, and yield its rows: without hashes, as pip writes them."""
        site = f"{self._place.packages}/".lstrip("/")
        for entry in list(self.entries):
            if self._compiler is None or not entry.path.endswith(".py") or not entry.path.startswith(site):
                continue
            assert entry.member is not None
            content = self._compiler.compile(f"/{entry.path}", entry.member.read())
            if content is not None:
                path = byte_code_path(entry.path)
                self.entries.append(file_entry(path, content, owner=self._owner))
                yield scheme, RecordEntry(path[len(site) :], None, None)

    def _write_bytes(self, scheme: Scheme, path: str, content: bytes, *, program: bool) -> RecordEntry:
        entry = file_entry(self._full_path(scheme, path), content, program=program, owner=self._owner)
        self.entries.append(entry)
        return RecordEntry(path, sha256_hash(content), len(content))

    def _full_path(self, scheme: Scheme, path: str) -> str:
        folder = self._place.folder_of(scheme, self._distribution)
        full = posixpath.normpath(posixpath.join(folder, path))
        if not full.startswith(f"{folder}/"):
            raise ImageError(
                f"{self._owner}: its file {path} would lie outside of {folder}.\n"
                "Expected a path below it. Keep another version in requirements.in and run: make lock"
            )
        return full.lstrip("/")

    def _prefix(self, root: Scheme, scheme: Scheme) -> Optional[str]:
        """Return what comes before a path in RECORD, which is relative to the folder of the wheel's root."""
        start = self._place.folder_of(root, self._distribution)
        relative = posixpath.relpath(self._place.folder_of(scheme, self._distribution), start)
        return None if relative == "." else f"{relative}/"


def sha256_hash(content: bytes) -> Hash:
    value = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode("ascii").rstrip("=")
    return Hash("sha256", value)


def told(error: Exception) -> str:
    """Return what an error says; installer's say it last."""
    return str(error.args[-1]) if isinstance(error, InstallerError) and error.args else str(error)


def wheel_entries(archive: zipfile.ZipFile, owner: str, place: Place, compiler: Optional[Compiler]) -> List[Entry]:
    """Return what pip would install of a wheel that stays open until its layer is written.

    Without a compiler no byte code is added. Raises ImageError for what is no wheel.
    """
    source = LazyWheel(archive)
    destination = LayerDestination(owner, source.distribution, place, compiler)
    try:
        install(source, destination, {})
    except UNSOUND as error:
        raise ImageError(f"{archive.filename}: is no wheel that can be installed: {told(error)}") from None
    return destination.entries
