"""The part `image` of a release: the runtime image, by the digest that was built."""

from typing import Callable, Mapping, Tuple

from esteira.errors import StateError
from esteira.images.code import code_of_workspace
from esteira.images.layout import layout_of, using
from esteira.images.make import Made, make_image, push_made
from esteira.images.origin import Origin
from esteira.images.registry.refusals import UnreachableError
from esteira.jobs.bind import RUNTIME
from esteira.release.inputs import read_inputs
from esteira.release.manifest import Part
from esteira.release.order import Order
from esteira.release.store.interface import Store
from esteira.settings import Settings

Say = Callable[[str], None]


def is_at_hand(settings: Settings, part: Part) -> bool:
    """Return whether an image was made for a part and is where it is needed: in the registry that is set, or here."""
    if not part.content:
        return False
    needed_here = not settings.registry or settings.run.isolation == "container"
    is_here = layout_of(settings).blob(part.content).is_file()
    is_pushed = part.uri == pushed_name(settings, part.content)
    return (is_here or not needed_here) and (is_pushed or not settings.registry)


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
    with using(layout_of(settings)):
        try:
            made = make_image(settings, RUNTIME, code, origin, environ=environ, say=say)
        except UnreachableError as error:
            if not settings.is_local:
                raise
            return Part(digest=digest), f"skipped: {error}"
        return laid_part(settings, digest, made, environ)


def laid_part(settings: Settings, digest: str, made: Made, environ: Mapping[str, str]) -> Tuple[Part, str]:
    if not settings.registry:
        place = str(layout_of(settings).blob(made.digest))
        return Part(digest=digest, content=made.digest, uri=place), f"{RUNTIME} {made.digest}"
    pushed = push_made(settings, made, settings.registry, environ)
    name = pushed_name(settings, made.digest)
    sent = f"{pushed.bytes_sent / 1e6:,.1f} MB sent"
    return Part(digest=digest, content=made.digest, uri=name), f"{name}, {sent}"
