"""The documents of an image: its configuration and its manifest.

Source: image-spec v1.1, config.md, manifest.md and annotations.md.
"""

import time
from typing import Any, Dict, List, Mapping, Sequence

from esteira.images.bases import Base
from esteira.images.descriptor import Descriptor
from esteira.images.layers.archive import EPOCH
from esteira.images.layers.place import Place
from esteira.images.layers.store import Layer
from esteira.images.media import LAYER, LAYERS, MANIFEST
from esteira.images.registry.pull import PulledImage
from esteira.images.spec import ImageSpec

PLATFORM = {"architecture": "amd64", "os": "linux"}
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CREATED = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH))
# The digest of the lock that an image's packages were taken from.
LOCK_LABEL = "dev.esteira.lock.digest"


def labels_of(spec: ImageSpec, base: Base, lock: str) -> Dict[str, str]:
    """Return what the image says of its making. The commit is none of it: it would make each one's image another.

    https://github.com/opencontainers/image-spec/blob/v1.1.0/annotations.md
    """
    return {
        **spec.labels,
        "org.opencontainers.image.base.name": base.tagged,
        "org.opencontainers.image.base.digest": base.digest,
        LOCK_LABEL: lock,
    }


def config_document(
    spec: ImageSpec, place: Place, pulled: PulledImage, layers: Sequence[Layer], labels: Mapping[str, str]
) -> Dict[str, Any]:
    """Return the image's configuration: what a container of it runs, as whom and with which variables."""
    history = [{"created": CREATED, "created_by": f"esteira: {layer.name}"} for layer in layers]
    return {
        **PLATFORM,
        "created": CREATED,
        "config": {
            "User": spec.user,
            "Env": environment(spec, place, pulled),
            "Entrypoint": spec.entrypoint,
            "Cmd": spec.command,
            "WorkingDir": spec.workdir,
            "Labels": dict(labels),
        },
        "rootfs": {"type": "layers", "diff_ids": [*pulled.diff_ids, *(layer.diff_id for layer in layers)]},
        "history": [*base_history(pulled), *history],
    }


def environment(spec: ImageSpec, place: Place, pulled: PulledImage) -> List[str]:
    """Return the variables: the base's, PATH with the environment's programs first, then the specification's."""
    inherited = dict(entry.partition("=")[::2] for entry in pulled.config.get("config", {}).get("Env") or [])
    path = f"{place.prefix}/bin:{inherited.get('PATH') or DEFAULT_PATH}"
    return [f"{name}={value}" for name, value in {**inherited, "PATH": path, **spec.env}.items()]


def base_history(pulled: PulledImage) -> List[Dict[str, Any]]:
    """Return the base's history; one line a layer where it has none, as each layer needs one or none has."""
    return list(pulled.config.get("history") or [{"created": CREATED, "created_by": "base"} for _ in pulled.layers])


def manifest_document(
    config: Descriptor, pulled: PulledImage, layers: Sequence[Layer], annotations: Mapping[str, str]
) -> Dict[str, Any]:
    described = [*(as_oci(layer) for layer in pulled.layers), *(layer.descriptor for layer in layers)]
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.document(),
        "layers": [layer.document() for layer in described],
        "annotations": dict(annotations),
    }


def as_oci(layer: Descriptor) -> Descriptor:
    """Return a base's layer under OCI's name for the same bytes: a manifest holds names of one kind."""
    return Descriptor(LAYER if layer.media_type in LAYERS else layer.media_type, layer.digest, layer.size_bytes)
