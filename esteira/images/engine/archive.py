"""Docker's archive of an image, which Docker and Podman load: written to a stream, layers as they lie.

Docker before 25 reads no OCI layout. It does read layers that are packed, and checks each against the
digest of its unpacked bytes, which the image's configuration holds.

Source: docker/docker image/tarexport/load.go and image/spec/spec.md ("Combined Image JSON + Filesystem
Changeset Format").
"""

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Sequence

from esteira.errors import ImageError
from esteira.images.descriptor import Descriptor, read_descriptor
from esteira.images.layout import Layout


@dataclass(frozen=True)
class Image:
    """What an image's manifest names: its configuration, and its layers from the base up."""

    manifest: Descriptor
    config: Descriptor
    layers: Sequence[Descriptor]


def read_image(layout: Layout, manifest: Descriptor) -> Image:
    """Return the image of a manifest; ImageError if a blob of it is lost or of another size."""
    document = layout.read(manifest.digest)
    try:
        config = read_descriptor(document["config"])
        layers = [read_descriptor(entry) for entry in document["layers"]]
    except (KeyError, TypeError, ValueError):
        raise ImageError(f"{layout.blob(manifest.digest)}: is no manifest of an image. Run: make images") from None
    for blob in (config, *layers):
        if not layout.has(blob):
            raise ImageError(f"{layout.blob(blob.digest)}: is lost or damaged. Run: make images")
    return Image(manifest, config, layers)


def write_archive(layout: Layout, image: Image, tag: str, stream: IO[bytes], held: int = 0) -> None:
    """Write the archive of an image under a tag; each blob is read once, in small pieces.

    `held`: how many of its lowest layers the reader has. Docker looks for those before their files.
    """
    config = f"{hexadecimal(image.config)}.json"
    layers = [layer_name(layer.digest) for layer in image.layers]
    listed = [{"Config": config, "RepoTags": [tag], "Layers": layers}]
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        add_bytes(archive, "manifest.json", json.dumps(listed).encode("utf-8"))
        add_file(archive, config, layout.blob(image.config.digest))
        # One that an image has twice is written once.
        for layer in dict.fromkeys(layer.digest for layer in image.layers[held:]):
            add_file(archive, layer_name(layer), layout.blob(layer))


def layer_name(digest: str) -> str:
    return f"{digest.partition(':')[2]}.tar"


def hexadecimal(blob: Descriptor) -> str:
    return blob.digest.partition(":")[2]


def add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def add_file(archive: tarfile.TarFile, name: str, path: Path) -> None:
    entry = tarfile.TarInfo(name)
    with path.open("rb") as content:
        entry.size = path.stat().st_size
        archive.addfile(entry, content)
