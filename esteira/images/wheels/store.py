"""The store of wheels: each under the hash of its bytes, once for all clones of a user.

A file appears whole, by a rename, after its hash was checked, so several processes may fill one store and a
killed one leaves only scratch files, which the next one removes.
"""

import hashlib
import os
from pathlib import Path
from typing import List, Mapping, Optional, Sequence

from esteira.cache import cache_folders, first_writable, scratch_in
from esteira.errors import ImageError
from esteira.files import telling_os_errors
from esteira.images.wheels.locked import Wheel

LOCK = "requirements.lock"
BUILD_LOCK = Path("docker", "build.lock")


class WheelStore:
    """The wheels in `folders`, the first writable of which takes new ones."""

    def __init__(self, folders: List[Path], builders: List[Path], build_lock: Path, environ: Mapping[str, str]) -> None:
        self.folders = folders
        self.builders = builders
        self.build_lock = build_lock
        self.environ = environ

    @property
    def folder(self) -> Path:
        return first_writable(self.folders)

    def find(self, wheel: Wheel) -> Optional[Path]:
        """Return where a wheel lies, None if it is not here. Its bytes were checked when it was put here."""
        for folder in self.folders:
            path = folder / wheel.sha256 / wheel.file
            if path.is_file():
                return path
        return None

    def path(self, wheel: Wheel) -> Path:
        """Return where a wheel lies. Raises ImageError if it is not here."""
        found = self.find(wheel)
        if found is None:
            raise ImageError(f"{wheel.place}: {wheel.file} is not in {self.folder}. Run: make wheels")
        return found

    def fetch_missing(self, wheels: Sequence[Wheel]) -> None:
        """Download or build what is not here. Raises ImageError with all faults; StateError if the disk is full."""
        missing = [wheel for wheel in wheels if self.find(wheel) is None]
        if missing:
            from esteira.images.wheels.fetch import fetch_wheels

            fetch_wheels(missing, self)

    def find_source(self, sha256: str) -> Optional[Path]:
        """Return the source distribution of a hash, None if it is not here."""
        for folder in self.folders:
            for path in sorted((folder / sha256).glob("*")):
                if path.is_file():
                    return path
        return None

    def adopt(self, path: Path, sha256: str) -> Path:
        """Put a file here that lies in a scratch folder of the store and was found to have this hash."""
        target = self.folder / sha256 / path.name
        with telling_os_errors("write", target):
            path.chmod(0o644)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
        return target

    def links(self, wheels: Sequence[Wheel]) -> Path:
        """Return a folder of links to these wheels and to nothing else, for --find-links; it is kept for next time.

        Raises ImageError if one is not here.
        """
        paths = [self.path(wheel) for wheel in wheels]
        name = hashlib.sha256("\n".join(sorted(map(str, paths))).encode()).hexdigest()[:16]
        made = self.folder / "links" / name
        if not all((made / path.name).exists() for path in paths):
            self._make_links(made, paths)
        return made

    def _make_links(self, made: Path, paths: Sequence[Path]) -> None:
        with telling_os_errors("write", made), scratch_in(self.folder) as scratch:
            made.mkdir(parents=True, exist_ok=True)
            for path in paths:
                link = scratch / path.name
                link.symlink_to(os.path.relpath(path, made))
                os.replace(link, made / path.name)


def wheel_store(root: Path, state: Path, environ: Mapping[str, str]) -> WheelStore:
    """Return the user's store for the repository at `root`; in the state folder if there can be no cache."""
    return WheelStore(
        cache_folders("wheels", state, environ),
        cache_folders("builders", state, environ),
        root / BUILD_LOCK,
        environ,
    )
