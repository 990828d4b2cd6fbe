"""A store that is a folder on this machine.

Parts get one fixed time stamp, since ExampleGen's fingerprint holds it. The generation of any other
object is its time stamp, which the writer makes higher than the one before.
"""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterable, Iterator, List, Optional, Tuple

from esteira.files import telling_os_errors
from esteira.release.store.interface import ABSENT, ConflictError, Entry, Stored

EPOCH_S = 946684800  # 2000-01-01, after the earliest date that ZIP files can hold
LOCK = ".lock"
NEW = ".new-"


class FolderStore:
    """Objects as files below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def uri(self) -> str:
        return str(self._folder)

    def read(self, name: str) -> Optional[Stored]:
        with telling_os_errors("read", self._folder / name):
            try:
                with (self._folder / name).open("rb") as stream:
                    # Of the open file: another may take its place meanwhile.
                    return Stored(stream.read(), os.fstat(stream.fileno()).st_mtime_ns)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, name: str, content: bytes, *, if_generation: Optional[int] = None) -> int:
        path = self._folder / name
        with telling_os_errors("write", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock():
                before = generation_of(path)
                if if_generation is not None and before != if_generation:
                    raise ConflictError(
                        f"{path}: was changed by somebody else meanwhile. Run the command again."
                    )
                return replace(path, content, max(time.time_ns(), before + 1))

    def lay_down(self, prefix: str, files: Iterable[Tuple[str, Path]]) -> None:
        lay_down(self._folder / prefix, files)

    def list(self, prefix: str) -> List[Entry]:
        with telling_os_errors("list", self._folder / prefix):
            return sorted(
                Entry(path.relative_to(self._folder).as_posix(), path.lstat().st_size)
                for path in (self._folder / prefix).rglob("*")
                if not path.is_dir() and not is_temporary(path.relative_to(self._folder))
            )

    def delete(self, names: Iterable[str]) -> None:
        for name in names:
            path = self._folder / name
            with telling_os_errors("remove", path):
                path.unlink(missing_ok=True)
                remove_empty(path.parent, self._folder)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._folder / LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def generation_of(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return ABSENT


def replace(path: Path, content: bytes, generation: int) -> int:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=NEW)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(name, 0o644)
        os.utime(name, ns=(generation, generation))
        os.replace(name, path)
    except BaseException:
        Path(name).unlink()
        raise
    return path.stat().st_mtime_ns


def is_temporary(relative: Path) -> bool:
    return relative.name == LOCK or any(part.startswith(NEW) for part in relative.parts)


def remove_empty(folder: Path, root: Path) -> None:
    """Remove folders that hold nothing any more, as a bucket has no empty ones."""
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def lay_down(folder: Path, files: Iterable[Tuple[str, Path]]) -> None:
    """Copy (relative name, file) pairs into `folder`, all or nothing, unless it exists.

    Raises StateError for a full disk or a missing permission.
    """
    if folder.exists():
        return
    with telling_os_errors("write", folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=NEW, dir=folder.parent))
        try:
            for name, source in sorted(files):
                copy_file(source, temporary / name)
            temporary.chmod(0o755)
            rename_once(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)
    os.utime(target, (EPOCH_S, EPOCH_S))


def rename_once(temporary: Path, folder: Path) -> None:
    """Rename into place; if another deploy was first, its equal content stays."""
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.exists():
            raise
