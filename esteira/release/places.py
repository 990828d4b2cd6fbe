"""Where in its store a release's parts and model lie, by names that hold wherever the store is."""

import re
from typing import Iterator, List, Tuple

from esteira.release.manifest import PATCH, Part, Release
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


def placed_part(store: Store, name: str, part: Part) -> Part:
    """Return a part with its place in this store, which may have been moved since the part was laid down."""
    prefix = part_prefix(name, part)
    return part.copy(update={"uri": f"{store.uri}/{prefix}"}) if prefix else part


def placed_model(store: Store, model: str) -> str:
    """Return a pushed model's place in this store; one that was pushed elsewhere lies where it lay."""
    prefix = model_prefix(model)
    return f"{store.uri}/{prefix}" if prefix else model


def patch_place(store: Store, release: Release) -> str:
    """Return where the release's uncommitted changes lie, "" if it had none, or none in what it is made of."""
    name = f"releases/{release.origin}/{PATCH}"
    return f"{store.uri}/{name}" if release.dirty and store.read(name) else ""


def placed(store: Store, release: Release) -> Release:
    """Return a release with the places of its parts and its model in this store."""
    parts = {name: placed_part(store, name, part) for name, part in release.parts.items()}
    outcome = release.outcome
    if outcome:
        outcome = outcome.copy(update={"model": placed_model(store, outcome.model)})
    return release.copy(update={"parts": parts, "outcome": outcome})


def lack(store: Store, name: str, part: Part) -> str:
    """Return what a part lacks of what was laid down for it, in words; "" if it is whole.

    By the number of its files, since reading a part may mean reading gigabytes.
    """
    prefix = part_prefix(name, part)
    if not prefix:
        return ""
    # Python leaves its caches beside what it imports, as `files_below` knows.
    found = sum("__pycache__" not in entry.name.split("/") for entry in store.list(prefix))
    if not found:
        return f"nothing lies at {store.uri}/{prefix}"
    return f"{found:,} of {part.files:,} files lie at {store.uri}/{prefix}" if found < part.files else ""


def missing_places(store: Store, release: Release) -> List[Tuple[str, str]]:
    """Return what of a release is no longer in the store, as (what it is, what it lacks)."""
    lacks = [(name, lack(store, name, part)) for name, part in sorted(release.parts.items())]
    model = model_prefix(release.outcome.model) if release.outcome else ""
    if model and not store.list(model):
        lacks.append(("model", f"nothing lies at {store.uri}/{model}"))
    return [(what, missing) for what, missing in lacks if missing]
