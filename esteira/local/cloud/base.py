"""A base of nothing, for a rehearsal where the real one cannot be reached: images are laid upon it and never run."""

import gzip
import io
import tarfile
from pathlib import Path
from typing import Mapping

from esteira.files import write_text
from esteira.images.bases import FILE, read_bases, with_digest
from esteira.images.config import PLATFORM
from esteira.images.descriptor import Descriptor
from esteira.images.layout import Layout
from esteira.images.media import CONFIG, INDEX, LAYER, MANIFEST
from esteira.images.registry.client import open_clients
from esteira.images.registry.push import push_image
from esteira.images.registry.reference import Reference, mirrored, parse_reference
from esteira.images.registry.refusals import UnreachableError
from esteira.release.digest import digest_bytes


def is_reachable(root: Path, mirrors: Mapping[str, str], environ: Mapping[str, str]) -> bool:
    """Return whether every base of docker/bases.toml can be had; RegistryError where a registry refuses."""
    client_for = open_clients(environ)
    try:
        for base in read_bases(root).values():
            reference = mirrored(parse_reference(base.reference), mirrors)
            client_for(reference.host).resolve(reference.repository, base.digest)
    except UnreachableError:
        return False
    return True


def stand_for_bases(root: Path, mirrors: Mapping[str, str], folder: Path, environ: Mapping[str, str]) -> None:
    """Push an empty image in the place of each base, and pin it in the docker/bases.toml of a scratch repository.

    `environ` says at which address of this machine the bases' registries are asked.
    """
    layout, client_for = Layout(folder), open_clients(environ)
    index = make_empty(layout)
    text = (root / FILE).read_text(encoding="utf-8")
    for name, base in read_bases(root).items():
        reference = mirrored(parse_reference(base.reference), mirrors)
        target = Reference(reference.host, reference.repository, tag=base.tag)
        push_image(layout, index, target, client_for(target.host))
        text = with_digest(text, name, index.digest)
    write_text(root / FILE, text)


def make_empty(layout: Layout) -> Descriptor:
    """Return the index of an image with one empty layer."""
    tar = io.BytesIO()
    tarfile.open(fileobj=tar, mode="w").close()
    layer = layout.add(LAYER, squeezed(tar.getvalue()))
    config = layout.add_document(
        CONFIG,
        {**PLATFORM, "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest_bytes(tar.getvalue())]}},
    )
    manifest = layout.add_document(
        MANIFEST,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.document(),
            "layers": [layer.document()],
        },
    )
    entry = Descriptor(MANIFEST, manifest.digest, manifest.size_bytes, PLATFORM)
    index = layout.add_document(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry.document()]})
    layout.name([index])
    return index


def squeezed(content: bytes) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", fileobj=packed, mtime=0) as stream:
        stream.write(content)
    return packed.getvalue()
