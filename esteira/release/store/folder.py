"""A store that is a folder on this machine.

What is laid down gets one fixed time stamp, since ExampleGen's fingerprint holds it. The generation of
any other object is its time stamp, which the writer makes higher than the one before.
"""

import filecmp
import os
import shutil
import time
from pathlib import Path
from typing import Iterable, Iterator, List, Optional, Tuple

from esteira.files import telling_os_errors
from esteira.release.store.interface import ABSENT, ConflictError, Entry, Stored
from esteira.release.store.names import NEW, changed_error, checked_name
from esteira.release.store.scratch import Scratch

EPOCH_S = 946684800  # 2000-01-01, after the earliest date that ZIP files can hold
# The coarsest time stamps of a file system, FAT's, are 2 s apart.
COARSEST_NS = 2 * 10**9
CHUNK_BYTES = 1 << 20


class FolderStore:
    """Objects as files below `folder`, which is made by the first write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._scratch = Scratch(folder)

    @property
    def uri(self) -> str:
        return str(self._folder)

    def read(self, name: str) -> Optional[Stored]:
        path = self._path(name)
        with telling_os_errors("read", path):
            try:
                with path.open("rb") as stream:
                    # Of the open file: another may take its place meanwhile.
                    return Stored(stream.read(), os.fstat(stream.fileno()).st_mtime_ns)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None

    def write(self, name: str, content: bytes, *, if_generation: Optional[int] = None) -> int:
        path = self._path(name)
        with telling_os_errors("write", path), self._scratch.locked():
            before = generation_of(path)
            if if_generation is not None and before != if_generation:
                raise ConflictError(f"{path}: was changed by somebody else meanwhile. Run the command again.")
            write_durably(self._scratch.file, content)
            generation = stamp(self._scratch.file, before)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(self._scratch.file, path)
            self._sync(path.parent)
            return generation

    def lay_down(self, prefix: str, files: Iterable[Tuple[str, Path]]) -> None:
        folder = self._path(prefix)
        known = [(self._path(f"{prefix}/{name}"), source) for name, source in sorted(files)]
        with telling_os_errors("write", folder):
            missing = [(path, source) for path, source in known if not lies(path, source)]
            if missing:
                self._place(folder, missing)

    def list(self, prefix: str) -> List[Entry]:
        folder = self._path(prefix) if prefix else self._folder
        with telling_os_errors("list", folder):
            return sorted(self._entries(folder))

    def delete(self, names: Iterable[str]) -> None:
        paths = [self._path(name) for name in names]
        with telling_os_errors("remove", self._folder):
            if self._folder.is_dir():
                with self._scratch.locked():
                    for path in paths:
                        remove_file(path)
                    for folder in {path.parent for path in paths}:
                        remove_empty(folder, self._folder)

    def _path(self, name: str) -> Path:
        return self._folder / checked_name(name, self.uri)

    def _place(self, folder: Path, missing: List[Tuple[Path, Path]]) -> None:
        """Copy the files, then rename them into place: the folder whole, or what it lacks."""
        with self._scratch.folder() as made:
            for path, source in missing:
                copy_file(source, made / path.relative_to(folder))
            sync_below(made)
            with self._scratch.locked():
                folder.parent.mkdir(parents=True, exist_ok=True)
                if not folder.exists():
                    made.rename(folder)
                else:
                    for path, source in missing:
                        self._complete(made / path.relative_to(folder), path, source)
                self._sync(folder.parent)

    def _complete(self, made: Path, path: Path, source: Path) -> None:
        """Rename one file into place, unless another deploy was first."""
        if not lies(path, source):
            path.parent.mkdir(parents=True, exist_ok=True)
            made.rename(path)
            self._sync(path.parent)

    def _entries(self, folder: Path) -> Iterator[Entry]:
        for place, folders, files in os.walk(folder, onerror=unless_gone):
            if Path(place) == self._folder and NEW in folders:
                folders.remove(NEW)
            for name in files:
                path = Path(place, name)
                try:
                    yield Entry(path.relative_to(self._folder).as_posix(), path.lstat().st_size)
                except FileNotFoundError:
                    continue

    def _sync(self, folder: Path) -> None:
        """Have the disk hold the names in a folder of the store, and those of all folders above."""
        sync(folder)
        while folder != self._folder:
            folder = folder.parent
            sync(folder)


def generation_of(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and have the disk hold it, so that a power cut cannot leave an empty one."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.chmod(stream.fileno(), 0o644)
        os.fsync(stream.fileno())


def stamp(path: Path, before: int) -> int:
    """Give a file a time stamp after `before`, and return it as the file system keeps it."""
    for time_ns in (time.time_ns(), before + 1, before + COARSEST_NS):
        os.utime(path, ns=(time_ns, time_ns))
        kept = path.stat().st_mtime_ns
        if kept > before:
            break
    return kept


def lies(path: Path, source: Path) -> bool:
    """Return whether a file is laid down; StateError if what lies there is another one.

    A file that still has its time stamp and size is taken for what it was.
    """
    try:
        there = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    if there.st_size != source.stat().st_size:
        raise changed_error(str(path))
    if there.st_mtime != EPOCH_S and not filecmp.cmp(path, source, shallow=False):
        raise changed_error(str(path))
    return True


def copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        with telling_os_errors("read", source):
            original = source.open("rb")
        with original:
            shutil.copyfileobj(original, stream, CHUNK_BYTES)
    target.chmod(0o644)
    os.utime(target, (EPOCH_S, EPOCH_S))


def remove_file(path: Path) -> None:
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return


def remove_empty(folder: Path, root: Path) -> None:
    """Remove folders that hold nothing any more, as a bucket has no empty ones."""
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def sync_below(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for name in (*files, "."):
            sync(Path(place, name))


def sync(path: Path) -> None:
    """Have the disk hold a file, or the names in a folder. https://man7.org/linux/man-pages/man2/fsync.2.html"""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unless_gone(error: OSError) -> None:
    """Pass over a folder that is not there, or was removed while it was listed."""
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise error
