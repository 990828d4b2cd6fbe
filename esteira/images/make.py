"""Making the images of this repository: the wheels and the base at hand, then each image with what goes with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Mapping, Sequence

from esteira.images.attach import attach
from esteira.images.bases import Base
from esteira.images.build import Image, Materials, build_image, read_materials
from esteira.images.config import PLATFORM
from esteira.images.descriptor import Descriptor
from esteira.images.layers.code import Code
from esteira.images.layers.groups import WheelFile
from esteira.images.layout import Layout, layout_of
from esteira.images.origin import Origin
from esteira.images.registry.client import open_clients
from esteira.images.registry.pull import PulledImage, pull_base
from esteira.images.registry.push import Pushed, push_image
from esteira.images.registry.reference import Reference, mirrored, parse_reference
from esteira.images.wheels.locked import wheels_of
from esteira.images.wheels.store import wheel_store
from esteira.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Made:
    """An image in the layout, the index that names it, what refers to it, and what it was made of."""

    image: Image
    index: Descriptor
    referrers: Sequence[Descriptor]
    materials: Materials

    @property
    def digest(self) -> str:
        """The digest of the image for the platform, which jobs name: it follows from the image's files alone."""
        return self.image.manifest.digest


def make_image(
    settings: Settings, name: str, code: Code, origin: Origin, *, environ: Mapping[str, str], say: Say
) -> Made:
    """Return the image of docker/<name>.toml, made as far as it is not there.

    Raises UnreachableError if the base cannot be had, RegistryError or ImageError as base, wheels and
    packages have it, StateError for a full disk.
    """
    layout = layout_of(settings)
    materials = read_materials(
        settings.root,
        name,
        code,
        lambda base: find_base(settings, layout, base, environ),
        lambda lock: find_wheels(settings, lock, environ),
    )
    image = build_image(layout, materials, say)
    index, referring = attach(layout, image, materials, origin)
    return Made(image, index, referring, materials)


def find_base(settings: Settings, layout: Layout, base: Base, environ: Mapping[str, str]) -> PulledImage:
    """Return a base, from the layout or from its registry or that one's mirror."""
    reference = base_reference(settings, base)
    platform = f"{PLATFORM['os']}/{PLATFORM['architecture']}"
    return pull_base(reference, platform, layout, open_clients(environ))


def base_reference(settings: Settings, base: Base) -> Reference:
    return mirrored(parse_reference(base.reference), settings.mirrors)


def find_wheels(settings: Settings, lock: Path, environ: Mapping[str, str]) -> List[WheelFile]:
    """Return the wheels of a lock, those that are not in the store fetched or built."""
    store, wheels = wheel_store(settings.root, settings.state, environ), wheels_of(lock)
    store.fetch_missing(wheels)
    paths = [(wheel, store.path(wheel)) for wheel in wheels]
    return [WheelFile(wheel.name, wheel.version, wheel.sha256, path, path.stat().st_size) for wheel, path in paths]


def push_made(settings: Settings, made: Made, registry: str, environ: Mapping[str, str]) -> Pushed:
    """Push an image with what goes with it, under a name by its content: a tag is a name for people only."""
    layout = layout_of(settings)
    tag = made.digest.partition(":")[2][:12]
    target = parse_reference(f"{registry}/{made.image.name}:{tag}")
    client = open_clients(environ)(target.host)
    base = base_reference(settings, made.materials.base)
    return push_image(layout, made.index, target, client, mount_from=[base], referrers=made.referrers)
