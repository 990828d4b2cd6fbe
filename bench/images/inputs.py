"""What the images are made of: a checkout of this repository, the same files for Dockerfiles, and the wheels."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

from esteira.git import git
from esteira.images.wheels.locked import Wheel, read_wheels
from esteira.images.wheels.store import WheelStore, wheel_store

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
LOCK, WHEELS = "requirements.lock", "requirements.wheels"
FOLDERS = ("esteira", "pipeline")
EDITED = Path("pipeline", "pipeline.py")
AUTHOR = ("-c", "user.name=Bench", "-c", "user.email=bench@example.test")
# A small package of pure Python, in the version before the lock's, which everything that needs it takes too.
BUMP = Wheel(
    name="idna",
    version="3.14",
    file="idna-3.14-py3-none-any.whl",
    sha256="e677eaf072e290f7b725f9acf0b3a2bd55f9fd6f7c70abe5f0e34823d0accf69",
    size_bytes=72184,
    source="",
    place="bench/images/inputs.py",
)
# Enough of the lock to try the bench with, in a minute.
SMALL = ("absl-py", "attrs", "certifi", "click", "idna", "numpy", "pip", "setuptools", "six", "wheel", "zipp")


@dataclass(frozen=True)
class Inputs:
    """A folder with checkout/, a repository, and the wheels of its lock with those of the bump, in a store."""

    folder: Path
    wheels: List[Wheel]
    store: WheelStore

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def files(self) -> Dict[str, Path]:
        """The wheels by their names."""
        return {wheel.file: self.store.path(wheel) for wheel in [*self.wheels, BUMP]}

    def path(self, name: str) -> Path:
        """Return the wheel of a package."""
        return next(self.store.path(wheel) for wheel in self.wheels if wheel.name == name)

    def copy(self, folder: Path) -> Path:
        """Return a clone of the checkout, so that no variant sees another's edits."""
        git(self.folder, "clone", "--quiet", "--no-hardlinks", str(self.checkout), str(folder))
        return folder

    def context(self, folder: Path, dockerfile: str, **words: str) -> Path:
        """Return a context of one of the Dockerfiles here, words in it replaced, with nothing that it does not copy."""
        folder.mkdir()
        for name in FOLDERS:
            shutil.copytree(self.checkout / name, folder / name)
        shutil.copy(self.checkout / WHEELS, folder / WHEELS)
        text = (HERE / dockerfile).read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(word, value)
        (folder / "Dockerfile").write_text(text, encoding="utf-8")
        return folder


def make_inputs(folder: Path, lock: str) -> Inputs:
    """Clone this repository's commit, cut the lock if it is to be small, and see that all wheels are at hand."""
    checkout = folder / "checkout"
    git(REPOSITORY, "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), str(checkout))
    wheels = read_wheels(checkout / WHEELS)
    if lock == "small":
        wheels = [wheel for wheel in wheels if wheel.name in SMALL]
        write_locks(checkout, wheels)
        git(checkout, *AUTHOR, "commit", "--quiet", "--all", "--message", "a small lock")
    store = wheel_store(REPOSITORY, REPOSITORY / ".esteira", os.environ)
    store.fetch_missing([*wheels, BUMP])
    return Inputs(folder, wheels, store)


def write_locks(root: Path, wheels: List[Wheel]) -> None:
    lines = [f"{wheel.requirement} --hash=sha256:{wheel.source or wheel.sha256}\n" for wheel in wheels]
    (root / LOCK).write_text("".join(lines), encoding="utf-8")
    (root / WHEELS).write_text("".join(map(line_of, wheels)), encoding="utf-8")


def line_of(wheel: Wheel) -> str:
    """Return a wheel as requirements.wheels has it."""
    source = f", built from sha256:{wheel.source}" if wheel.source else ""
    return f"{wheel.requirement} --hash=sha256:{wheel.sha256}  # {wheel.file}, {wheel.size_bytes} bytes{source}\n"


def edit_code(root: Path, number: int) -> None:
    """Change one line of the pipeline, each time to another one."""
    with (root / EDITED).open("a", encoding="utf-8") as stream:
        stream.write(f"# {number}\n")


def bump_lock(root: Path) -> None:
    """Put the other version of a package into the locks that are there."""
    lock, wheels = root / LOCK, root / WHEELS
    replace_entry(wheels, line_of(BUMP))
    if lock.exists():
        replace_entry(lock, f"{BUMP.requirement} --hash=sha256:{BUMP.sha256}\n")


def replace_entry(path: Path, text: str) -> None:
    """Replace the lines of the package, which end where one does not go on."""
    kept, inside = [], False
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        begins = line.startswith(f"{BUMP.name}==")
        if begins:
            kept.append(text)
        elif not inside:
            kept.append(line)
        inside = (begins or inside) and line.rstrip().endswith("\\")
    path.write_text("".join(kept), encoding="utf-8")


def find_uv() -> Path:
    """Return the uv that this repository pins."""
    command = ["sh", "-euc", 'here=esteira/setup; new=; say() { echo "$*" >&2; }; . "$here/uv.sh"; find_uv; echo "$UV"']
    printed = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout
    return Path(printed.decode().strip())
