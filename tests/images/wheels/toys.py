"""Small packages, a folder that pip takes for an index, and locks of them."""

import base64
import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Dict, Mapping

from esteira.cache import hash_file
from esteira.images.wheels.store import WheelStore, wheel_store
from tests.conftest import REPOSITORY

SETUP = "from setuptools import setup\nsetup(name='{name}', version='1.0', py_modules=['{name}'])\n"
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: toys\nRoot-Is-Purelib: true\nTag: {tag}\n"


def make_wheel(folder: Path, name: str, *, tag: str = "py3-none-any", content: str = "VALUE = 1\n") -> Path:
    """Write a wheel that pip and uv install."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": content,
        f"{info}/METADATA": METADATA.format(name=name),
        f"{info}/WHEEL": WHEEL.format(tag=tag),
    }
    rows = [f"{path},sha256={record_hash(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for entry, text in files.items():
            archive.writestr(zipfile.ZipInfo(entry), text)
    return path


def record_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def make_source(folder: Path, name: str, files: Mapping[str, str]) -> Path:
    """Write a source distribution."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for entry, text in {"PKG-INFO": METADATA.format(name=name), **files}.items():
            member = tarfile.TarInfo(f"{name}-1.0/{entry}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def lock_of(*paths: Path) -> str:
    """Return a lock as uv writes it, of one distribution a package."""
    entries = [
        f"{path.name.split('-')[0]}==1.0 \\\n    --hash=sha256:{hash_file(path)}\n    # via toys\n" for path in paths
    ]
    return "# made by toys\n" + "".join(entries)


def wheels_line(path: Path) -> str:
    file = f"{path.name}, {path.stat().st_size} bytes"
    return f"{path.name.split('-')[0]}==1.0 --hash=sha256:{hash_file(path)}  # {file}\n"


def toy_environ(tmp_path: Path, index: Path) -> Dict[str, str]:
    """Return an environment whose only index is a folder, and whose cache is below tmp_path."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(index),
        "XDG_CACHE_HOME": str(tmp_path / "the cache"),
    }


def toy_store(tmp_path: Path, index: Path) -> WheelStore:
    return wheel_store(REPOSITORY, tmp_path / "state", toy_environ(tmp_path, index))
