"""A small repository whose images are made of a base in a registry on loopback and of wheels in a store of its own."""

import shutil
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence

from esteira.images.layers.groups import WheelFile
from esteira.images.layout import Layout
from esteira.images.registry import RegistryClient
from esteira.images.registry.push import push_image
from esteira.images.registry.reference import Reference
from esteira.settings import Settings, load_settings
from tests.conftest import REPOSITORY
from tests.images.image_made import BASES, CODE, RUNTIME, tiny_base, tiny_wheels
from tests.programs import require_program
from tests.repositories import make_repository


class Project(NamedTuple):
    """A repository, the variables of whoever works in it, its wheels and where its base lies."""

    root: Path
    environ: Dict[str, str]
    wheels: List[WheelFile]
    base: Reference

    def settings(self, **flags: str) -> Settings:
        environ = {"ESTEIRA_STATE": str(self.root.parent / "state")}
        return load_settings(self.root, environ, {key.replace("__", "."): value for key, value in flags.items()})


def push_tiny_base(folder: Path, host: str, text: str = "a base") -> Reference:
    """Push the tiny base into a registry as library/python:3.8-slim, and return it, pinned."""
    layout = Layout(folder)
    pushed = push_image(
        layout, tiny_base(layout, text), Reference(host, "library/python", tag="3.8-slim"), RegistryClient(host, {})
    )
    return Reference(host, "library/python", tag="3.8-slim", digest=pushed.digest)


def make_project(
    folder: Path, host: str, *, wheels: Optional[Sequence[WheelFile]] = None, more: Mapping[str, str] = {}
) -> Project:
    """Make the repository in folder/root; `more` files are laid over its own."""
    base = push_tiny_base(folder / "base", host)
    files = {
        **CODE,
        "docker/bases.toml": bases_text(base),
        "docker/runtime.toml": RUNTIME,
        "esteira.toml": "",
        ".gitignore": "__pycache__/\n",
    }
    cache = folder / "cache"
    used = list(wheels) if wheels is not None else tiny_wheels(folder / "wheels")
    files.update(keep_wheels(cache / "esteira" / "wheels", used))
    root = make_repository(folder / "root", {**files, **more})
    environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder / "home"), "XDG_CACHE_HOME": str(cache)}
    return Project(root, environ, used, base)


def bases_text(base: Reference) -> str:
    return BASES.format(digest=base.digest).replace("example.test/", f"{base.host}/")


def keep_wheels(store: Path, wheels: Sequence[WheelFile]) -> Dict[str, str]:
    """Put wheels into a store and return the lock and the list of wheels that name them."""
    lock, listed = [], []
    for wheel in wheels:
        (store / wheel.sha256).mkdir(parents=True)
        shutil.copy(wheel.path, store / wheel.sha256)
        lock.append(f"{wheel.name}=={wheel.version} \\\n    --hash=sha256:{wheel.sha256}\n")
        listed.append(wheel_line(wheel))
    return {"requirements.lock": "".join(lock), "requirements.wheels": "".join(listed)}


def wheel_line(wheel: WheelFile) -> str:
    """Return a wheel as requirements.wheels has it."""
    file = f"{wheel.path.name}, {wheel.size_bytes} bytes"
    return f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}  # {file}\n"


def engine_files() -> Dict[str, str]:
    """Return this repository's engine, for a project whose images are built again by its own."""
    require_program("git", "git")
    return {
        path.relative_to(REPOSITORY).as_posix(): path.read_text(encoding="utf-8")
        for path in (REPOSITORY / "esteira").rglob("*")
        if path.suffix in (".py", ".toml", ".sh", ".json", ".txt") and "__pycache__" not in path.parts
    }
