"""What a person asks of images: building, pushing and checking them."""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Callable, Iterable, Iterator, List, Mapping, Tuple

from esteira.files import write_text
from esteira.images.bases import FILE, read_bases, with_digest
from esteira.images.code import code_of_source
from esteira.images.layout import layout_of, using
from esteira.images.make import Made, make_image, push_made
from esteira.images.origin import origin_of
from esteira.images.registry.client import open_clients
from esteira.images.registry.reference import mirrored, parse_reference
from esteira.images.verify import verify_images
from esteira.jobs.bind import RUNTIME
from esteira.settings import Settings
from esteira.source import Source, frozen_source

if TYPE_CHECKING:
    from rich.table import Table

Say = Callable[[str], None]


@contextmanager
def made_here(
    settings: Settings, names: Iterable[str], environ: Mapping[str, str], say: Say
) -> Iterator[Tuple[Source, List[Made]]]:
    """Make images of what is here, and keep them and their source as they are while one works with them."""
    with using(layout_of(settings)), frozen_source(settings.root, settings.state) as source:
        code, origin = code_of_source(source), origin_of(source)
        yield source, [make_image(settings, name, code, origin, environ=environ, say=say) for name in names]


def make_images(settings: Settings, names: Iterable[str], environ: Mapping[str, str], say: Say) -> None:
    """Make images of what is here, show their digests, and push them where a registry is set."""
    with made_here(settings, names, environ, say) as (_, made):
        for image in made:
            say(describe(image))
            if settings.registry:
                pushed = push_made(settings, image, settings.registry, environ)
                say(
                    f"  pushed to {settings.registry}/{image.image.name}@{image.digest}: "
                    f"{pushed.blobs_sent} blobs, {pushed.bytes_sent / 1e6:,.1f} MB sent"
                )


def build_again(settings: Settings, names: Iterable[str], environ: Mapping[str, str], say: Say) -> None:
    """Make images of what is here once more, from nothing and in other surroundings, and compare.

    Raises ImageError that names the layers that differ.
    """
    with made_here(settings, names, environ, say) as (source, made):
        verified = verify_images(settings, source, made, sys.executable, environ)
    for image in made:
        surroundings = ", ".join(verified.varied)
        say(f"{image.image.name} {image.digest}: the same, built again with another {surroundings}")
    for what in verified.same:
        say(f"not varied: {what}")


def load_images(settings: Settings, names: Iterable[str], environ: Mapping[str, str], say: Say) -> None:
    """Make images of what is here and give them to Docker or Podman; ImageError if there is neither."""
    from esteira.images.engine.find import find_engine
    from esteira.images.engine.load import image_tag, load_image

    engine = find_engine(environ)
    with made_here(settings, names, environ, say) as (_, made):
        for image in made:
            say(describe(image))
            tag = image_tag(image.image.name, image.image.manifest)
            known = load_image(layout_of(settings), image.image.manifest, tag, engine, say)
            say(f"  loaded into {engine.program} as {tag}, {known}")


def check_runtime(settings: Settings, environ: Mapping[str, str], say: Say) -> None:
    """Make the runtime image and import, in a container of it, what a job needs; ImageError lists what is missing."""
    from esteira.images.check import check_image
    from esteira.images.engine.find import find_engine

    find_engine(environ)  # before a long build
    with made_here(settings, [RUNTIME], environ, say) as (_, (made,)):
        say(describe(made))
        check_image(settings, made.image.manifest, environ, say)


def describe(made: Made) -> str:
    """Return a line that says which image was made, and how large it is for those who pull it."""
    image = made.image
    layers = f"{len(image.layers)} layers on {made.materials.base.tagged}"
    return f"{image.name} {made.digest}, {image.size_bytes / 1e6:,.0f} MB, {layers}"


def rewrite_pins(settings: Settings, environ: Mapping[str, str]) -> "Table":
    """Look each base's tag up in its registry, rewrite docker/bases.toml, and return what changed.

    Raises RegistryError, before anything is written, if a tag cannot be looked up.
    """
    from esteira.tables import make_table

    client_for, path = open_clients(environ), settings.root / FILE
    bases = read_bases(settings.root, pinned=False)
    found = {}
    for name, base in bases.items():
        reference = mirrored(parse_reference(base.tagged), settings.mirrors)
        found[name] = client_for(reference.host).resolve(reference.repository, base.tag)
    text = path.read_text(encoding="utf-8")
    for name in bases:
        text = with_digest(text, name, found[name])
    write_text(path, text)
    rows = [
        (name, base.tagged, found[name], "" if found[name] == base.digest else "new") for name, base in bases.items()
    ]
    return make_table(["base", "tag", "digest", ""], rows)
