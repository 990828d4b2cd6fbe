"""What a person types about images: make them, push them, look at them."""

from typing import Iterable, List, Mapping

from rich.console import Console
from rich.table import Table

from esteira.images.bases import FILE, read_bases, with_digest
from esteira.images.code import code_of_source
from esteira.images.make import Made, make_image, push_made
from esteira.images.origin import Origin, repository_url
from esteira.images.registry.client import open_clients
from esteira.images.registry.reference import mirrored, parse_reference
from esteira.files import write_text
from esteira.settings import Settings
from esteira.source import Source, frozen_source


def origin_of(source: Source) -> Origin:
    return Origin(source.commit, source.is_dirty, repository_url(source.root))


def make_images(
    settings: Settings, names: Iterable[str], environ: Mapping[str, str], console: Console
) -> List[Made]:
    """Make images of what is here, push them where a registry is set, and show their digests."""
    with frozen_source(settings.root, settings.state) as source:
        code, origin = code_of_source(source), origin_of(source)
        made = [
            make_image(settings, name, code, origin, environ=environ, say=lambda text: console.print(text, markup=False))
            for name in names
        ]
    for image in made:
        console.print(describe(image), markup=False)
        if settings.registry:
            pushed = push_made(settings, image, settings.registry, environ)
            console.print(
                f"  pushed to {settings.registry}/{image.image.name}@{pushed.digest}: "
                f"{pushed.blobs_sent} blobs, {pushed.bytes_sent / 1e6:,.1f} MB sent",
                markup=False,
            )
    return made


def describe(made: Made) -> str:
    image = made.image
    return f"{image.name} {image.manifest.digest}, {image.size_bytes / 1e6:,.0f} MB in {len(image.layers)} layers of ours"


def rewrite_pins(settings: Settings, environ: Mapping[str, str]) -> Table:
    """Look each base's tag up in its registry, rewrite docker/bases.toml, and return what changed.

    Raises RegistryError, before anything is written, if a tag cannot be looked up.
    """
    client_for, path = open_clients(environ), settings.root / FILE
    bases = read_bases(settings.root, pinned=False)
    found = {}
    for name, base in bases.items():
        reference = mirrored(parse_reference(base.tagged), settings.mirrors)
        found[name] = client_for(reference.host).resolve(reference.repository, base.tag)
    text = path.read_text(encoding="utf-8")
    table = Table("base", "tag", "digest", "")
    for name, base in bases.items():
        text = with_digest(text, name, found[name])
        table.add_row(name, base.tagged, found[name], "" if found[name] == base.digest else "new")
    write_text(path, text)
    return table
