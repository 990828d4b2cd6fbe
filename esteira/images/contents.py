"""What an image's layers of packages hold, told from here or, where they are not here, from a former image."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Optional

from esteira.files import write_json
from esteira.images.build import Materials
from esteira.images.descriptor import Descriptor, read_descriptor
from esteira.images.former.inventory import Inventory, inventory_key, pack
from esteira.images.layers.groups import WheelFile, group_wheels
from esteira.images.layers.key import KEY
from esteira.images.layers.metadata import Package, keep_package, kept_package, read_package
from esteira.images.layers.packages import group_key
from esteira.images.layers.store import LayerStore
from esteira.images.layout import Layout
from esteira.images.media import INVENTORY
from esteira.images.spec import place_of


def packages_of(layout: Layout, materials: Materials) -> Dict[str, Package]:
    """Return what each wheel says of itself, by the package's name. A wheel is fetched only if nothing else tells."""
    if unread(layout, materials) and materials.formers is not None:
        known = materials.formers.inventory.packages
        for wheel in unread(layout, materials):
            if wheel.sha256 in known:
                keep_package(layout, wheel.sha256, known[wheel.sha256])
    lacking = unread(layout, materials)
    if lacking:
        materials.fetch(lacking)
    return {wheel.name: read_package(layout, wheel) for wheel in materials.wheels}


def unread(layout: Layout, materials: Materials) -> List[WheelFile]:
    """Return the wheels that neither lie here nor were read before."""
    return [
        wheel for wheel in materials.wheels if kept_package(layout, wheel.sha256) is None and not wheel.path.is_file()
    ]


def inventory_blob(layout: Layout, materials: Materials) -> Optional[Descriptor]:
    """Return the inventory of the image's layers, here or in the registry; None if nothing tells what they hold."""
    place = place_of(materials.base)
    keys = [group_key(group, place) for group in group_wheels(materials.wheels)]
    key = inventory_key(keys)
    record = layout.folder / "inventories" / f"{key.partition(':')[2]}.json"
    blob = read_record(layout, record)
    if blob is None and materials.formers is not None:
        blob = materials.formers.document(key)
    if blob is None:
        store = LayerStore(layout, materials.formers)
        if not all(store.knows_files(each) for each in keys):
            return None
        packages = packages_of(layout, materials)
        told = {wheel.sha256: packages[wheel.name] for wheel in materials.wheels}
        blob = layout.add(INVENTORY, pack(Inventory({each: store.files(each) for each in keys}, told)))
        write_json(record, blob.document())
    return replace(blob, annotations={KEY: key})


def read_record(layout: Layout, record: Path) -> Optional[Descriptor]:
    """Return the inventory that was made here, None if there is none or its blob is gone."""
    try:
        blob = read_descriptor(json.loads(record.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return blob if layout.has(blob) else None
