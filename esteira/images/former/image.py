"""One image in the registry, as a later build reads it: which layers it has, by the keys of what they are made of.

What is trusted is the digest that the caller names it by: manifest and configuration are those bytes, and name
every layer by digest in their turn. A key counts only where a build computes the same one now.
"""

import json
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Mapping, Optional

from esteira.images.descriptor import Descriptor, read_descriptor
from esteira.images.layers.key import KEY
from esteira.images.layers.store import Layer
from esteira.images.layout import Layout
from esteira.images.media import LAYER, MANIFEST
from esteira.images.registry.client import RegistryClient
from esteira.images.registry.reference import Reference


@dataclass(frozen=True)
class Former:
    """An image's layers by their keys, and the digests of all its layers, the base's among them."""

    reference: Reference
    layers: Mapping[str, Layer]
    digests: FrozenSet[str]


def read_former(client: RegistryClient, reference: Reference, layout: Layout) -> Optional[Former]:
    """Return an image that a registry has, None if it is gone or no image that could be referred to.

    Its configuration is kept in the layout. Raises RegistryError if its bytes have not the digest.
    """
    found = client.look_up_manifest(reference.repository, reference.digest, [MANIFEST])
    if found is None:
        return None
    try:
        document = json.loads(found.content)
        entries = [read_descriptor(entry) for entry in document["layers"]]
        config = read_config(client, reference, read_descriptor(document["config"]), layout)
        diff_ids = [str(digest) for digest in config["rootfs"]["diff_ids"]]
    except (ValueError, KeyError, TypeError):
        return None
    if len(diff_ids) != len(entries):
        return None
    return Former(reference, layers_by_key(entries, diff_ids), frozenset(entry.digest for entry in entries))


def read_config(client: RegistryClient, reference: Reference, config: Descriptor, layout: Layout) -> Dict[str, Any]:
    if not layout.has(config):
        with layout.scratch_file() as path:
            client.fetch_blob(reference.repository, config, path)
            layout.adopt(path, config.digest)
    return layout.read(config.digest)


def layers_by_key(entries: List[Descriptor], diff_ids: List[str]) -> Dict[str, Layer]:
    """Return the layers that have a key; a base's have none."""
    return {
        entry.annotations[KEY]: Layer(entry.annotations[KEY], "", entry.digest, entry.size_bytes, diff_id)
        for entry, diff_id in zip(entries, diff_ids)
        if KEY in entry.annotations and entry.media_type == LAYER
    }
