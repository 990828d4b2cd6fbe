"""Making the builder image, where the registry has none of what it would be made of."""

import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Callable, Iterator, Mapping

from esteira.images.former.choose import former_references
from esteira.images.layers.code import Code
from esteira.images.layout import layout_of, using
from esteira.images.make import make_image, open_formers, push_whole
from esteira.images.origin import origin_of
from esteira.local.builds.workspace import fill_workspace
from esteira.release.history import read_pointer, readable_release
from esteira.release.store.interface import Store
from esteira.settings import Settings
from esteira.source import Source

BUILDER = "builder"

Say = Callable[[str], None]


def make_builder(
    settings: Settings, store: Store, source: Source, code: Code, environ: Mapping[str, str], say: Say
) -> str:
    """Make and push the image, of the source as it was frozen, and return it by digest."""
    current = read_pointer(store).release
    release = readable_release(store, current) if current else None
    part = release.parts.get("image") if release else None
    formers = open_formers(settings, former_references(settings, [part.uri] if part else []), environ)
    with using(layout_of(settings)), laid_down(source) as root:
        there = settings.copy(update={"root": root})
        make = partial(make_image, there, BUILDER, code, origin_of(source), environ=environ, say=say)
        made, pushed = push_whole(there, make(formers=formers), make, environ, say)
    image = f"{settings.registry}/{BUILDER}@{made.digest}"
    say(f"{image}, {pushed.bytes_sent / 1e6:,.1f} MB sent")
    return image


@contextmanager
def laid_down(source: Source) -> Iterator[Path]:
    """Lay a source down for as long as something is made of it: the working tree may change meanwhile."""
    with tempfile.TemporaryDirectory(prefix="esteira builder ") as folder:
        root = Path(folder) / "source"
        fill_workspace(root, source)
        yield root
