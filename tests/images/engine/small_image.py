"""A small image for tests: the shell of this machine, with the libraries that it needs, in two layers."""

import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from esteira.errors import ImageError
from esteira.images.descriptor import Descriptor
from esteira.images.engine.find import Engine, find_engine
from esteira.images.layout import Layout
from esteira.images.media import CONFIG, LAYER, MANIFEST
from tests.programs import lack

PROGRAMS = ("sh", "sleep", "id", "cat", "touch", "env")
LIBRARY = re.compile(r"(/\S+) \(0x")
# No path of the machine is named here: an image of another folder would be another image.
ENV = ("PATH=/bin", "FROM_IMAGE=yes")


def unique_script(folder: Path) -> str:
    """Return a script that makes an image another than that of any other test, which can be removed in peace."""
    return f"#!/bin/sh\n# {folder}\n"


def remove_image(engine: Engine, name: str) -> None:
    engine.ask("image", "rm", "--force", name)


def require_engine() -> Engine:
    """Return this machine's engine, or skip the test."""
    try:
        return find_engine(os.environ)
    except ImageError:
        lack("no container engine answers here")
        raise


def files_of(programs: Sequence[str]) -> Dict[str, Path]:
    """Return {path in the image: file} of programs and their libraries."""
    files = {}
    for name in programs:
        path = shutil.which(name)
        assert path is not None
        files[f"bin/{name}"] = Path(path)
        for library in LIBRARY.findall(subprocess.run(["ldd", path], capture_output=True, encoding="utf-8").stdout):
            files[library.lstrip("/")] = Path(library)
    return files


def add_layer(layout: Layout, contents: Dict[str, bytes], mode: int = 0o755) -> Tuple[Descriptor, str]:
    """Add a layer of files, with a /tmp for everyone; return it, and the digest of its unpacked bytes."""
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w") as archive:
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
        for name, content in sorted(contents.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    diff_id = f"sha256:{hashlib.sha256(unpacked.getvalue()).hexdigest()}"
    return layout.add(LAYER, gzip.compress(unpacked.getvalue(), mtime=0)), diff_id


def add_small_image(layout: Layout, **files: str) -> Descriptor:
    """Add the image to a layout and return its manifest; `files` are scripts of its /bin, name and text."""
    base = add_layer(layout, {name: path.read_bytes() for name, path in files_of(PROGRAMS).items()})
    scripts = add_layer(layout, {f"bin/{name}": text.encode("utf-8") for name, text in files.items()})
    # The same layer twice, as images have it with empty ones.
    return add_manifest(layout, [base, scripts, scripts])


def add_manifest(layout: Layout, layers: List[Tuple[Descriptor, str]], **config: object) -> Descriptor:
    settings = {"Env": list(ENV), "User": "65532", "Entrypoint": ["/bin/false"], **config}
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in layers]},
    }
    named = layout.add_document(CONFIG, document)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": named.document(),
        "layers": [layer.document() for layer, _ in layers],
    }
    return layout.add_document(MANIFEST, manifest)
