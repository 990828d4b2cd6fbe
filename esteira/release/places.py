"""Where in its store a release's parts and model lie, by names that hold wherever the store is."""

import re
from typing import Iterator, List, Tuple

from esteira.release.manifest import Part, Release
from esteira.release.parts import PREFIXES
from esteira.release.store.interface import Store

# A pushed model, as TFX's Pusher names it: by the second that it was pushed in.
MODEL = re.compile(r"(?:^|/)(serving/[0-9]+)/?$")


def part_prefix(name: str, part: Part) -> str:
    """Return the prefix that a part was laid down under, "" if it has none in the store."""
    if name not in PREFIXES or not part.content:
        return ""
    return f"{PREFIXES[name]}/{part.content.partition(':')[2]}"


def model_prefix(model: str) -> str:
    """Return the prefix of a pushed model, "" if it lies elsewhere."""
    found = MODEL.search(model)
    return found.group(1) if found else ""


def places_of(release: Release) -> Iterator[Tuple[str, str]]:
    """Yield what a release needs to be served again, as (what it is, prefix in the store)."""
    for name, part in sorted(release.parts.items()):
        prefix = part_prefix(name, part)
        if prefix:
            yield name, prefix
    model = model_prefix(release.outcome.model) if release.outcome else ""
    if model:
        yield "model", model


def missing_places(store: Store, release: Release) -> List[Tuple[str, str]]:
    """Return what of a release is no longer in the store, as (what it is, where it lay)."""
    return [
        (what, f"{store.uri}/{prefix}") for what, prefix in places_of(release) if not store.list(prefix)
    ]
