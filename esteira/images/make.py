"""Making the images of this repository: the base at hand, then each image with what goes with it, and pushing them."""

from dataclasses import dataclass
from typing import Callable, Mapping, Optional, Sequence, Tuple

from esteira.images.attach import attach
from esteira.images.bases import Base, base_reference
from esteira.images.build import Image, Materials, build_image, read_materials
from esteira.images.config import PLATFORM
from esteira.images.descriptor import Descriptor
from esteira.images.former.images import FormerImages
from esteira.images.layers.code import Code
from esteira.images.layout import Layout, layout_of
from esteira.images.origin import Origin
from esteira.images.registry.client import RegistryClient, open_clients
from esteira.images.registry.pull import PulledImage, pull_base
from esteira.images.registry.push import Pushed, push_image
from esteira.images.registry.reference import Reference, parse_reference
from esteira.images.registry.upload import LostError
from esteira.images.wheels.files import wheel_set
from esteira.images.wheels.store import wheel_store
from esteira.settings import Settings

Say = Callable[[str], None]
Clients = Callable[[str], RegistryClient]


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
    settings: Settings,
    name: str,
    code: Code,
    origin: Origin,
    *,
    environ: Mapping[str, str],
    say: Say,
    formers: Optional[FormerImages] = None,
) -> Made:
    """Return the image of docker/<name>.toml, made as far as it is not there.

    What the `formers` have, which lie in the registry that is set, is referred to and does not get into the
    layout. Raises UnreachableError if the base cannot be had, RegistryError or ImageError as base, wheels and
    packages have it, StateError for a full disk.
    """
    layout, client_for = layout_of(settings), open_clients(environ)
    materials = read_materials(
        settings.root,
        name,
        code,
        lambda base: find_base(settings, layout, base, client_for, formers),
        lambda lock: wheel_set(lock, wheel_store(settings.root, settings.state, environ)),
        formers,
    )
    image = build_image(layout, materials, say)
    index, referring = attach(layout, image, materials, origin, with_inventory=bool(settings.registry))
    return Made(image, index, referring, materials)


def find_base(
    settings: Settings, layout: Layout, base: Base, client_for: Clients, formers: Optional[FormerImages]
) -> PulledImage:
    """Return a base, from the layout or from its registry or that one's mirror."""
    reference = base_reference(settings, base)
    platform = f"{PLATFORM['os']}/{PLATFORM['architecture']}"
    return pull_base(reference, platform, layout, client_for, formers.holds if formers else lambda digest: False)


def push_made(settings: Settings, made: Made, registry: str, environ: Mapping[str, str]) -> Pushed:
    """Push an image with what goes with it, under a name by its content: a tag is a name for people only.

    Raises LostError if the registry has no longer what the image took from a former one.
    """
    layout, formers = layout_of(settings), made.materials.formers
    tag = made.digest.partition(":")[2][:12]
    target = parse_reference(f"{registry}/{made.image.name}:{tag}")
    client = formers.client if formers else open_clients(environ)(target.host)
    base = base_reference(settings, made.materials.base)
    known = formers.repositories() if formers else {}
    return push_image(layout, made.index, target, client, mount_from=[base], referrers=made.referrers, known=known)


def push_whole(
    settings: Settings, made: Made, make: Callable[[], Made], environ: Mapping[str, str], say: Say
) -> Tuple[Made, Pushed]:
    """Push an image to the registry that is set.

    `make` makes it again, without former images, where the registry has lost what it took from them. Raises as
    that and push_image do.
    """
    registry, formers = settings.registry, made.materials.formers
    try:
        return made, push_made(settings, made, registry, environ)
    except LostError:
        if formers is None:
            raise
        say(f"{registry}: lacks some of {', '.join(map(str, formers.references))}: making all of {made.image.name}")
    again = make()
    return again, push_made(settings, again, registry, environ)


def open_formers(
    settings: Settings, references: Sequence[Reference], environ: Mapping[str, str]
) -> Optional[FormerImages]:
    """Return images of one registry for a new one to take from, None for no references."""
    if not references:
        return None
    return FormerImages(references, open_clients(environ)(references[0].host), layout_of(settings))
