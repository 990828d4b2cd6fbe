"""What goes with an image: its bill of materials and where it came from, as manifests that refer to it.

Source: image-spec v1.1, manifest.md, "Guidelines for Artifact Usage", and distribution-spec v1.1, referrers.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import List, Tuple

from esteira.files import write_bytes
from esteira.images.build import Image, Materials
from esteira.images.contents import inventory_blob, packages_of
from esteira.images.descriptor import Descriptor
from esteira.images.layers.key import KEY, layer_key
from esteira.images.layout import Layout, tag_entry
from esteira.images.media import EMPTY, INDEX, MANIFEST, PROVENANCE, SBOM
from esteira.images.origin import Origin
from esteira.images.provenance import provenance

# The image that an entry of the layout's index goes with.
IMAGE = "dev.esteira.image"


def attach(
    layout: Layout, image: Image, materials: Materials, origin: Origin, *, with_inventory: bool = False
) -> Tuple[Descriptor, List[Descriptor]]:
    """Name the image in the layout, with all that goes with it; return its index and what refers to it.

    An inventory serves builds that take from the image what they have not got, and so one that is pushed.
    The layout's index has the image's name as a tag; what an image of that name had before is out of it.
    """
    notes = origin.annotations()
    document = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [image.manifest.document()],
        "annotations": notes,
    }
    index = replace(layout.add_document(INDEX, document), annotations=notes)
    referring = [
        refer(layout, image, bill_blob(layout, materials)),
        refer(layout, image, layout.add(PROVENANCE, provenance(image, materials, origin))),
    ]
    inventory = inventory_blob(layout, materials) if with_inventory else None
    if inventory is not None:
        referring.append(refer(layout, image, inventory))
    before = [entry.digest for entry in referrers(layout, image.name)]
    layout.name([tag_entry(index, image.name), *referring], replacing=before)
    return index, referring


def referrers(layout: Layout, name: str) -> List[Descriptor]:
    """Return what goes with the image of a name."""
    return [entry for entry in layout.entries() if entry.annotations.get(IMAGE) == name]


def refer(layout: Layout, image: Image, blob: Descriptor) -> Descriptor:
    """Return the manifest of a document that says something of an image."""
    empty = layout.add(EMPTY, b"{}")
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": blob.media_type,
        "config": empty.document(),
        "layers": [blob.document()],
        "subject": replace(image.manifest, platform={}).document(),
    }
    made = layout.add_document(MANIFEST, document)
    return replace(made, artifact_type=blob.media_type, annotations={IMAGE: image.name})


def bill_blob(layout: Layout, materials: Materials) -> Descriptor:
    """Return the bill of materials, here or in the registry."""
    key = bill_key(materials)
    found = materials.formers.document(key) if materials.formers and not holds_json(bill_path(layout, key)) else None
    return replace(found or layout.add(SBOM, kept_bill(layout, materials)), annotations={KEY: key})


def kept_bill(layout: Layout, materials: Materials) -> bytes:
    """Return the bill of materials, made where these wheels and this base have none yet."""
    path = bill_path(layout, bill_key(materials))
    if not holds_json(path):
        from esteira.images.sbom import bill_of_materials

        write_bytes(path, bill_of_materials(materials.wheels, packages_of(layout, materials), materials.base))
    return path.read_bytes()


def bill_key(materials: Materials) -> str:
    hashes = sorted([wheel.name, wheel.sha256] for wheel in materials.wheels)
    return layer_key({"bill": hashes, "base": [materials.base.reference, materials.base.tag]})


def bill_path(layout: Layout, key: str) -> Path:
    return layout.folder / "bills" / f"{key.partition(':')[2]}.json"


def holds_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True
