"""The base that all build on: the tests' Debian with Python 3.8, and pip in it, as Python's own images have it."""

import ensurepip
import gzip
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, Dict, Tuple

from esteira.images.descriptor import Descriptor
from esteira.images.layout import Layout
from esteira.images.media import CONFIG, INDEX, LAYER, MANIFEST
from esteira.images.registry import Reference, RegistryClient, push_image
from esteira.release.digest import digest_bytes, digest_file

REPOSITORY = Path(__file__).resolve().parent.parent.parent
NAME = "library/python"
TAG = "3.8.20-slim-bookworm"
PYTHON = "/usr/local/bin/python3.8"
# Those that came with Python 3.8: the lock has newer ones, as it has for the official image.
INSTALLERS = Path(ensurepip.__file__).parent / "_bundled"
# The tests' base is made by the environment of the tests.
MAKE = "from tests.images.base_image import python_base; print(python_base().layout.folder)"


def make_base(folder: Path) -> Layout:
    """Return a layout with one entry, an index of the base with pip and setuptools in it."""
    command = ["sh", "esteira/setup/run.sh", "--dev", "-c", MAKE]
    printed = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout
    shutil.copytree(printed.decode().splitlines()[-1], folder / "base")
    layout = Layout(folder / "base")
    manifest = layout.read(layout.read(layout.entries()[0].digest)["manifests"][0]["digest"])
    config = layout.read(manifest["config"]["digest"])
    layer, diff_id = add_layer(layout, folder)
    config["rootfs"]["diff_ids"].append(diff_id)
    config["history"].append({"created": config["created"], "created_by": "pip"})
    layout.name([add_index(layout, manifest, config, layer)], replacing=[layout.entries()[0].digest])
    return layout


def add_layer(layout: Layout, folder: Path) -> Tuple[Descriptor, str]:
    """Install pip and setuptools into a layer; return it with the digest of its tar."""
    target, tar = folder / "installers", folder / "installers.tar"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", str(INSTALLERS)]
    subprocess.run([*command, "--target", str(target), "pip", "setuptools"], check=True)
    with tarfile.open(tar, "w") as archive:
        archive.add(target, "usr/local/lib/python3.8/site-packages", filter=as_root)
    with layout.scratch_file() as path:
        with tar.open("rb") as plain, gzip.open(path, "wb") as packed:
            shutil.copyfileobj(plain, packed)
        layer = Descriptor(LAYER, digest_file(path), path.stat().st_size)
        layout.adopt(path, layer.digest)
    return layer, digest_bytes(tar.read_bytes())


def as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def add_index(layout: Layout, manifest: Dict[str, Any], config: Dict[str, Any], layer: Descriptor) -> Descriptor:
    manifest["config"] = layout.add_document(CONFIG, config).document()
    manifest["layers"].append(layer.document())
    made = layout.add_document(MANIFEST, manifest)
    entry = Descriptor(MANIFEST, made.digest, made.size_bytes, {"os": "linux", "architecture": "amd64"})
    return layout.add_document(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry.document()]})


def push_base(layout: Layout, host: str) -> str:
    """Push the base and return its digest."""
    return push_image(layout, layout.entries()[0], Reference(host, NAME, tag=TAG), RegistryClient(host, {})).digest
