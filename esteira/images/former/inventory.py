"""What layers of packages hold: their files, and what their wheels say of themselves, for a build that has neither.

It goes with an image in the registry, so that where a package changes, the new layer can be compared with the
others, and the bill of materials be written, without fetching them.
"""

import json
import zlib
from dataclasses import asdict, dataclass
from typing import Dict, Mapping, Sequence

import deflate

from esteira.images.layers.archive import LEVEL
from esteira.images.layers.conflicts import Files
from esteira.images.layers.key import layer_key
from esteira.images.layers.metadata import FORM as METADATA_FORM
from esteira.images.layers.metadata import Package

# To be raised when it is written in another way: what was written in another form says nothing.
FORM = 1
GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class Inventory:
    """The files of layers by their keys, and packages by the hashes of their wheels."""

    files: Mapping[str, Files]
    packages: Mapping[str, Package]


def inventory_key(keys: Sequence[str]) -> str:
    """Return the key of the inventory of some layers of packages."""
    return layer_key({"inventory": sorted(keys), "form": [FORM, METADATA_FORM]})


def pack(inventory: Inventory) -> bytes:
    """Return an inventory as packed JSON, the same bytes for the same content."""
    document = {
        "form": [FORM, METADATA_FORM],
        "files": inventory.files,
        "packages": {sha256: asdict(package) for sha256, package in inventory.packages.items()},
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return bytes(deflate.gzip_compress(text.encode("ascii"), LEVEL))


def unpack(content: bytes) -> Inventory:
    """Return what an inventory says, an empty one where it is damaged or of another form."""
    try:
        document = json.loads(zlib.decompress(content, GZIP))
        if document["form"] != [FORM, METADATA_FORM]:
            return Inventory({}, {})
        files: Dict[str, Files] = {
            key: {path: (str(mark), str(owner)) for path, (mark, owner) in found.items()}
            for key, found in document["files"].items()
        }
        return Inventory(files, {sha256: Package(**found) for sha256, found in document["packages"].items()})
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError):
        return Inventory({}, {})
