"""The part `image` of a release: the runtime image, by the digest that was built."""

from functools import partial
from typing import Callable, List, Mapping, Tuple

from esteira.errors import ImageError, StateError
from esteira.images.builder import known_builder
from esteira.images.code import code_of_workspace
from esteira.images.descriptor import Descriptor
from esteira.images.engine.archive import read_image
from esteira.images.former.choose import former_references
from esteira.images.layers.code import Code
from esteira.images.layout import Layout, layout_of, using
from esteira.images.make import make_image, open_formers, push_whole
from esteira.images.media import MANIFEST
from esteira.images.origin import Origin
from esteira.images.registry.reference import Reference
from esteira.images.registry.refusals import UnreachableError
from esteira.jobs.bind import RUNTIME
from esteira.release.history import readable_release
from esteira.release.inputs import read_inputs
from esteira.release.manifest import Part
from esteira.release.order import Order
from esteira.release.store.interface import Store
from esteira.settings import Settings

Say = Callable[[str], None]


def is_at_hand(settings: Settings, part: Part) -> bool:
    """Return whether an image was made for a part and is where it is needed: in the registry that is set, or here.

    In the cloud nothing of it need be here: what is pushed refers to layers that the registry had.
    """
    if not part.content:
        return False
    needed_here = settings.is_local and (not settings.registry or settings.run.isolation == "container")
    is_here = not needed_here or is_whole(layout_of(settings), part.content)
    is_pushed = not settings.registry or part.uri == pushed_name(settings, part.content)
    return is_here and is_pushed


def is_whole(layout: Layout, digest: str) -> bool:
    """Return whether a layout has all of an image, none of whose layers it refers to elsewhere."""
    try:
        read_image(layout, Descriptor(MANIFEST, digest, 0))
    except ImageError:
        return False
    return True


def pushed_name(settings: Settings, digest: str) -> str:
    return f"{settings.registry}/{RUNTIME}@{digest}"


def image_part(
    settings: Settings, store: Store, order: Order, environ: Mapping[str, str], say: Say
) -> Tuple[Part, str]:
    """Make the image of what the deploy was planned for; return its part and a line that says what was done.

    On `local` the part has no content where the base cannot be reached. Raises UnreachableError in the
    cloud, RegistryError or ImageError for an image that cannot be made or pushed.
    """
    digest = order.parts["image"]
    inputs = read_inputs(store, digest)
    if inputs is None:
        raise StateError(f"{store.uri}: does not list the files that the image is made of. Run the deploy again.")
    code = code_of_workspace(settings.root, inputs.files)
    origin = Origin(order.commit, order.dirty, order.url)
    make = partial(make_image, settings, RUNTIME, code, origin, environ=environ, say=say)
    formers = open_formers(settings, former_images(settings, store, order, code), environ)
    with using(layout_of(settings)):
        try:
            made = make(formers=formers)
        except UnreachableError as error:
            if not settings.is_local:
                raise
            return Part(digest=digest), f"skipped: {error}"
        if not settings.registry:
            place = str(layout_of(settings).blob(made.digest))
            return Part(digest=digest, content=made.digest, uri=place), f"{RUNTIME} {made.digest}"
        made, pushed = push_whole(settings, made, make, environ, say)
    name = pushed_name(settings, made.digest)
    sent = f"{pushed.bytes_sent / 1e6:,.1f} MB sent"
    return Part(digest=digest, content=made.digest, uri=name), f"{name}, {sent}"


def former_images(settings: Settings, store: Store, order: Order, code: Code) -> List[Reference]:
    """Return the images whose layers need not be made again: the current release's and the builder.

    None where every part is to be made anew, and where nothing is pushed.
    """
    if order.force or not settings.registry:
        return []
    parent = readable_release(store, order.parent) if order.parent else None
    part = parent.parts.get("image") if parent else None
    return former_references(settings, [part.uri if part else "", known_builder(settings, store, code)])
