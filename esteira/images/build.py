"""Building an image: base, environment, packages and code become a manifest in the layout.

Nothing is looked at but files of the repository, so the manifest's digest is the same everywhere. What
was made before is found by its key, so that building again costs next to nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Sequence

from esteira.images.bases import Base
from esteira.images.config import PLATFORM, config_document, labels_of, manifest_document
from esteira.images.descriptor import Descriptor
from esteira.images.former.images import FormerImages
from esteira.images.layers.code import Code, code_layer
from esteira.images.layers.groups import Fetch, WheelFile, WheelSet, fetch_nothing
from esteira.images.layers.packages import package_layers
from esteira.images.layers.skeleton import skeleton_layer
from esteira.images.layers.store import Layer, LayerStore
from esteira.images.layout import Layout
from esteira.images.media import CONFIG, MANIFEST
from esteira.images.registry.pull import PulledImage
from esteira.images.spec import ImageSpec, base_of, place_of, read_spec
from esteira.release.digest import digest_bytes

Say = Callable[[str], None]


@dataclass(frozen=True)
class Materials:
    """What an image is made of: its specification, base, wheels and the files of the repository.

    `fetch` puts wheels here that are needed as files, `formers` are images whose layers may be referred to.
    """

    name: str
    spec: ImageSpec
    base: Base
    pulled: PulledImage
    lock_digest: str
    wheels: Sequence[WheelFile]
    code: Code
    fetch: Fetch = fetch_nothing
    formers: Optional[FormerImages] = None


@dataclass(frozen=True)
class Image:
    """An image in the layout: its manifest, with the platform, and the layers that were laid on the base.

    Layers of former images, and of the base, may be in the registry alone.
    """

    name: str
    manifest: Descriptor
    config: Dict[str, Any]
    layers: Sequence[Layer]
    size_bytes: int


def read_materials(
    root: Path,
    name: str,
    code: Code,
    find_base: Callable[[Base], PulledImage],
    find_wheels: Callable[[Path], WheelSet],
    formers: Optional[FormerImages] = None,
) -> Materials:
    """Return what docker/<name>.toml asks for.

    `find_base` gives a base from the layout or its registry, `find_wheels` the wheels of a lock. Raises
    ImageError or RegistryError for what cannot be had.
    """
    spec = read_spec(root, name)
    base = base_of(root, name, spec)
    lock = root / spec.lock
    # The base first: where it cannot be had, nothing else need be fetched.
    pulled = find_base(base)
    wheels = find_wheels(lock)
    return Materials(
        name=name,
        spec=spec,
        base=base,
        pulled=pulled,
        # As git has it: a checkout may have other line ends.
        lock_digest=digest_bytes(lock.read_bytes().replace(b"\r\n", b"\n")),
        wheels=wheels.files,
        code=code.below(*spec.folders),
        fetch=wheels.fetch,
        formers=formers,
    )


def build_image(layout: Layout, materials: Materials, say: Say) -> Image:
    """Return the image of some materials, made as far as neither the layout nor a former image has it.

    Raises ImageError for a wheel that is damaged or packages that don't fit together, StateError for a
    full disk.
    """
    spec, place, store = materials.spec, place_of(materials.base), LayerStore(layout, materials.formers)
    layers = [skeleton_layer(store, place), *package_layers(store, materials.wheels, place, say, materials.fetch)]
    # A layer for each folder: the engine's need not be compiled again where the pipeline changed.
    layers += [code_layer(store, materials.code, folder, spec.workdir) for folder in spec.folders]
    labels = labels_of(spec, materials.base, materials.lock_digest)
    config = config_document(spec, place, materials.pulled, layers, labels)
    manifest = manifest_document(layout.add_document(CONFIG, config), materials.pulled, layers, labels)
    described = layout.add_document(MANIFEST, manifest)
    size_bytes = sum(entry["size"] for entry in [*manifest["layers"], manifest["config"]])
    return Image(
        name=materials.name,
        manifest=Descriptor(described.media_type, described.digest, described.size_bytes, PLATFORM),
        config=config,
        layers=layers,
        size_bytes=size_bytes,
    )
