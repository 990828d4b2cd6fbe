"""The values that a release was made with."""

from typing import Any, Dict, List, Tuple

from esteira.release.changes import shown_value
from esteira.release.inputs import CLOUD_SECTIONS, SECTIONS, readable_inputs
from esteira.release.manifest import Release
from esteira.release.store.interface import Store
from esteira.settings import Settings

# What `default_of` returns for a value that has none, such as the digest of a CSV.
NONE = object()


def values_of(store: Store, release: Release) -> Dict[str, Any]:
    """Return the values in the listings of all parts, as far as the store has them."""
    values: Dict[str, Any] = {}
    for part in release.parts.values():
        inputs = readable_inputs(store, part.digest)
        values.update(inputs.values if inputs else {})
    return values


def other_than_default(store: Store, release: Release) -> List[Tuple[str, str, str]]:
    """Return (key, value, default) for each value that is not its default, "" where there is none."""
    return [
        (key, shown_value(value), "" if default_of(key) is NONE else shown_value(default_of(key)))
        for key, value in sorted(values_of(store, release).items())
        if value != default_of(key)
    ]


def default_of(key: str) -> Any:
    section, _, name = key.partition(".")
    if section not in (*SECTIONS, *CLOUD_SECTIONS):
        return NONE
    field = Settings.__fields__[section].type_.__fields__.get(name)
    return NONE if field is None else field.default
