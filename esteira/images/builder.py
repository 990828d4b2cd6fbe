"""The builder image, which the steps of a build in the cloud run in: made where there is none of these inputs yet.

What it was made of names a record in the store of releases, builders/<hex>.json, which names the image.
"""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Callable, Mapping, Optional

from esteira.errors import ImageError
from esteira.images.bases import EXAMPLE as BASES_EXAMPLE
from esteira.images.bases import FILE as BASES
from esteira.images.bases import bases_of
from esteira.images.code import code_of_source
from esteira.images.layers.code import Code
from esteira.images.layers.key import layer_key
from esteira.images.registry.client import open_clients
from esteira.images.registry.reference import Reference, parse_reference
from esteira.images.spec import EXAMPLE, named_base, spec_of, spec_place
from esteira.images.toml import parse_toml
from esteira.release.inputs import Inputs
from esteira.release.manifest import json_text
from esteira.release.store.interface import ABSENT, ConflictError, Store, Stored
from esteira.settings import Settings
from esteira.source import Source

BUILDER = "builder"
KEY = "image"

Say = Callable[[str], None]


def builder_for(settings: Settings, store: Store, source: Source, environ: Mapping[str, str], say: Say) -> str:
    """Return the builder image of a frozen source, by digest; it is made and pushed where the registry has none.

    Raises ImageError where no registry is set, and as making an image and pushing it have it; StateError as the
    store has it.
    """
    if not settings.registry:
        raise ImageError("images.registry is not set. Expected where the builder image is to be pushed to.")
    code = code_of_source(source)
    name = record_name(builder_inputs(code))
    stored = store.read(name)
    found = recorded(settings, stored)
    if found is not None and is_there(found, environ):
        return str(found)
    from esteira.images.make_builder import make_builder

    image = make_builder(settings, store, source, code, environ, say)
    # Another deploy may have written the same meanwhile: equal inputs give equal images.
    with suppress(ConflictError):
        content = json_text({KEY: image}).encode("utf-8")
        store.write(name, content, if_generation=stored.generation if stored else ABSENT)
    return image


def known_builder(settings: Settings, store: Store, code: Code) -> str:
    """Return the builder image that the store names for some files, "" if it names none in this registry."""
    try:
        inputs = builder_inputs(code)
    except ImageError:
        return ""  # it is for the one who needs the builder to tell
    found = recorded(settings, store.read(record_name(inputs)))
    return str(found or "")


def builder_inputs(code: Code) -> Inputs:
    """Return what the builder image is made of; ImageError if its files are missing or cannot be read."""
    place = spec_place(BUILDER)
    for path in (place, BASES):
        if path not in code.files:
            raise ImageError(f"{path}: no such file. Run: git checkout -- {path}")
    contents = code.read([place, BASES])
    spec = spec_of(parse_toml(contents[place], place, EXAMPLE), place)
    base = named_base(bases_of(parse_toml(contents[BASES], BASES, BASES_EXAMPLE)), BUILDER, spec)
    wheels = str(Path(spec.lock).with_suffix(".wheels"))
    files = {path: code.files[path] for path in (place, spec.lock, wheels) if path in code.files}
    # A key of nothing is what each layer's depends on: the tools, and the form that they write.
    values = {"base": asdict(base), "tools": layer_key(None)}
    return Inputs(BUILDER, {**files, **code.below(*spec.folders).files}, values)


def record_name(inputs: Inputs) -> str:
    return f"builders/{inputs.digest.partition(':')[2]}.json"


def recorded(settings: Settings, stored: Optional[Stored]) -> Optional[Reference]:
    """Return the image that a record names, None if it is none in this registry."""
    try:
        image = json.loads(stored.content)[KEY] if stored else ""
        registry, _, name = image.rpartition("/")
        found = parse_reference(image) if registry == settings.registry and name.startswith(f"{BUILDER}@") else None
    except (ValueError, KeyError, TypeError, AttributeError, ImageError):
        return None
    return found


def is_there(image: Reference, environ: Mapping[str, str]) -> bool:
    return open_clients(environ)(image.host).find_manifest(image.repository, image.digest) == image.digest
