"""Bases to build on: Debian with this machine's Python, standing for python:3.8-slim, and one of a few files."""

import gzip
import hashlib
import io
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

import pytest

from esteira.errors import ProgramError
from esteira.images.descriptor import Descriptor
from esteira.images.layout import Layout
from esteira.images.media import CONFIG, INDEX, LAYER, MANIFEST
from esteira.images.registry import Reference, RegistryClient, push_image
from esteira.locks import locked
from esteira.process import run_program
from esteira.release.digest import digest_file, digest_value
from tests.programs import lack, require_program

EPOCH_S = 1700000000
SUITE = "bookworm"
# What the extension modules of a Python 3.8 are linked to, and certificates for its ssl.
PACKAGES = (
    *("ca-certificates", "libbz2-1.0", "libexpat1", "libffi8", "liblzma5", "libncursesw6", "libnsl2"),
    *("libreadline8", "libsqlite3-0", "libssl3", "libuuid1", "netbase", "tzdata", "zlib1g"),
)
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
# Of the standard library: what slim images leave out too, and what needs libraries of a desktop.
NO_MODULES = ("__pycache__", "idlelib", "site-packages", "test", "tests", "tkinter", "turtledemo", "*.a", "_tkinter.*")
SOURCES = ("etc/apt/sources.list.d/debian.sources", "etc/apt/sources.list")
MAKING_S = 900
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


class BaseImage(NamedTuple):
    """An image's index and the layout that holds it."""

    layout: Layout
    index: Descriptor


def python_base(environ: Mapping[str, str] = os.environ) -> BaseImage:
    """Return Debian with Python 3.8 in /usr/local, made once a machine (a minute or two) and then kept.

    Needs root, mmdebstrap and a mirror of Debian, as this machine's own sources name it.
    """
    # Its interpreter is what the recipe holds besides: another patch level is another base.
    key = digest_value([1, SUITE, PACKAGES, LEFT_OUT, NO_MODULES, EPOCH_S, sys.version]).partition(":")[2]
    kept = cache_folder(environ) / "esteira" / "test-base"
    kept.mkdir(parents=True, exist_ok=True)
    with locked(kept):  # two workers that need it at once make one
        folder = kept / key
        if not folder.is_dir():
            for left in kept.glob(".making-*"):  # by a test run that was killed
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=kept, prefix=".making-") as made:
                make_python_base(Path(made))
                (Path(made) / "layout").rename(folder)
    layout = Layout(folder)
    return BaseImage(layout, layout.entries()[0])


def small_base(folder: Path, text: str = "a base of a few files") -> BaseImage:
    """Return an image of a few files without a program, in a layout in `folder`; another `text`, another image."""
    return name_image(Layout(folder), small_layer(text))


def push_base(base: BaseImage, host: str, repository: str = "library/python") -> Reference:
    """Push a base into an open registry and return its reference, pinned by the index's digest."""
    target = Reference(host, repository, tag="3.8-slim")
    pushed = push_image(base.layout, base.index, target, RegistryClient(host, {}))
    return Reference(host, repository, digest=pushed.digest)


def cache_folder(environ: Mapping[str, str]) -> Path:
    cache = environ.get("XDG_CACHE_HOME", "")
    return Path(cache) if os.path.isabs(cache) else Path(environ["HOME"]) / ".cache"


def make_python_base(folder: Path) -> None:
    """Make the image in folder/layout."""
    require_program("mmdebstrap", "mmdebstrap")
    if os.getuid():
        lack("the base image for tests is made by root")
    stage, root = folder / "python.tar", folder / "root.tar"
    with tarfile.open(stage, "w") as archive:
        archive.add(stage_python(folder / "python"), "usr/local", filter=as_root)
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    command += [f"--customize-hook=tar-in {stage} /", '--customize-hook=chroot "$1" ldconfig']
    command += ['--customize-hook=chroot "$1" /usr/local/bin/python3.8 -c "import ssl, sqlite3, lzma, bz2, ctypes"']
    command += [SUITE, str(root), *apt_sources()]
    environ = {"PATH": os.environ.get("PATH", PATH), "SOURCE_DATE_EPOCH": str(EPOCH_S), "LC_ALL": "C"}
    environ.update({name: os.environ[name] for name in ("http_proxy", "https_proxy", "no_proxy") if name in os.environ})
    try:
        run_program(command, env=environ, timeout_s=MAKING_S, install_hint="Run: apt-get install mmdebstrap")
    except ProgramError as error:
        pytest.fail(f"the base image for tests cannot be made: {error}", pytrace=False)
    name_image(Layout(folder / "layout"), root.open("rb"))


def stage_python(folder: Path) -> Path:
    """Copy the interpreter that runs this, and its standard library, as they lie below /usr/local."""
    prefix, version = Path(sys.base_prefix), f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (folder / "bin").mkdir(parents=True)
    shutil.copy(prefix / "bin" / version, folder / "bin" / version)
    (folder / "bin" / "python3").symlink_to(version)
    (folder / "bin" / "python").symlink_to("python3")
    shutil.copytree(
        prefix / "lib" / version, folder / "lib" / version, symlinks=True, ignore=shutil.ignore_patterns(*NO_MODULES)
    )
    (folder / "lib" / version / "site-packages").mkdir()
    for library in (prefix / "lib").glob(f"lib{version}.so*"):
        shutil.copy(library, folder / "lib", follow_symlinks=False)
    return folder


def as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mtime = EPOCH_S
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def apt_sources() -> List[str]:
    """Return the file that names this machine's mirrors of Debian, if it has one; else mmdebstrap knows one."""
    found = [Path("/") / name for name in SOURCES if (Path("/") / name).is_file()]
    return [str(found[0])] if found else []


def name_image(layout: Layout, tar: io.BufferedIOBase) -> BaseImage:
    """Make a layer of a tar, an image of the layer and an index of the image, as the layout's only entry."""
    with tar, layout.scratch_file() as path:
        diff_id = compress(tar, path)
        layer = Descriptor(LAYER, digest_file(path), path.stat().st_size)
        layout.adopt(path, layer.digest)
    config = layout.add_document(CONFIG, config_document(diff_id))
    manifest = layout.add_document(MANIFEST, manifest_document(config, layer))
    entry = Descriptor(MANIFEST, manifest.digest, manifest.size_bytes, {"os": "linux", "architecture": "amd64"})
    index = layout.add_document(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry.document()]})
    layout.name([index])
    return BaseImage(layout, index)


def compress(tar: io.BufferedIOBase, path: Path) -> str:
    """Compress a tar into a file and return the digest of the tar itself."""
    hasher = hashlib.sha256()
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 3, raw, mtime=0) as packed:
        for chunk in iter(lambda: tar.read(1 << 20), b""):
            hasher.update(chunk)
            packed.write(chunk)
    return f"sha256:{hasher.hexdigest()}"


def config_document(diff_id: str) -> Dict[str, Any]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": "2023-11-14T22:13:20Z",
        "config": {"Env": [f"PATH={PATH}", "LANG=C.UTF-8"], "Cmd": ["python3"]},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": "2023-11-14T22:13:20Z", "created_by": "a test"}],
    }


def manifest_document(config: Descriptor, layer: Descriptor, subject: Optional[Descriptor] = None) -> Dict[str, Any]:
    """Return the manifest of a config and one layer; with a subject it is a referrer."""
    named = {"subject": subject.document()} if subject else {}
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.document(),
        "layers": [layer.document()],
        **named,
    }


def small_layer(text: str) -> io.BytesIO:
    files = {
        "etc/os-release": "ID=test\n",
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "etc/group": "root:x:0:\n",
        "etc/motd": f"{text}\n",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), EPOCH_S
            archive.addfile(entry, io.BytesIO(content.encode("utf-8")))
    buffer.seek(0)
    return buffer
