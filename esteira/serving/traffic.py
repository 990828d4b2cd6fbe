"""How the traffic of the server on this machine is split: `traffic.json` in the store gives a release a share.

It counts only while `current` is the release that it was written for: a deploy or a rollback ends it.
"""

import json
from typing import Any, NamedTuple, Optional

from esteira.errors import StateError
from esteira.release.history import find_release, served_release
from esteira.release.manifest import Release
from esteira.release.store import Store, open_store
from esteira.release.store.names import remove_command
from esteira.settings import Settings

TRAFFIC = "traffic.json"


class Traffic(NamedTuple):
    """While `release` is current, the release `beside` it gets `percent` of the traffic."""

    release: str
    beside: str
    percent: int


def change_traffic(settings: Settings, release: str = "", percent: str = "") -> str:
    """Give a release a share of the traffic on this machine and return a sentence that says how it is split.

    Without either it is only told; at 0 the split ends, whatever the release. Raises StateError.
    """
    settings.require_local()
    store = open_store(settings)
    current = served_release(store, settings.selected)
    if percent or release:
        share = read_percent(percent)
        if share:
            set_traffic(store, current, find_release(store, release), share)
        else:
            store.delete([TRAFFIC])
    return told_traffic(store, current)


def read_percent(text: str) -> int:
    """Return the percentage that was given. Raises StateError."""
    if not (text.isascii() and text.isdigit() and int(text) < 100):
        raise StateError(
            f"PERCENT={text}: expected 1 to 99, the share of RELEASE, or 0 to end the split.\n"
            "Run: make traffic RELEASE=id PERCENT=10"
        )
    return int(text)


def set_traffic(store: Store, current: Release, beside: Release, percent: int) -> None:
    """Have a release get a share of the traffic, as long as `current` is. Raises StateError."""
    if beside.origin == current.origin:
        raise StateError(
            f"RELEASE={beside.id}: its model is served already, by the current release {current.id}.\n"
            "Expected another one. Run: make releases"
        )
    if beside.outcome is None or not beside.outcome.model:
        raise StateError(
            f"RELEASE={beside.id}: no model was pushed. Expected a release that was served. Run: make releases"
        )
    fields = Traffic(current.id, beside.id, percent)._asdict()
    store.write(TRAFFIC, (json.dumps(fields) + "\n").encode("ascii"))


def told_traffic(store: Store, current: Release) -> str:
    traffic = counted_traffic(store, current.id)
    if traffic is None:
        return f"100 % of the traffic goes to release {current.id}"
    rest = 100 - traffic.percent
    return f"{rest} % of the traffic goes to release {current.id}, {traffic.percent} % to release {traffic.beside}"


def counted_traffic(store: Store, current: str) -> Optional[Traffic]:
    """Return the split of the traffic, None if all of it goes to the current release. Raises StateError."""
    traffic = read_traffic(store)
    return traffic if traffic and traffic.release == current else None


def read_traffic(store: Store) -> Optional[Traffic]:
    """Return what `traffic.json` says, None if it is not there. Raises StateError if it says something else."""
    stored = store.read(TRAFFIC)
    if stored is None:
        return None
    try:
        return traffic_of(json.loads(stored.content))
    except ValueError as error:
        place = f"{store.uri}/{TRAFFIC}"
        raise StateError(
            f"{place}: holds no split of the traffic: {error}.\nRun: {remove_command(place)}    "
            "Then: make traffic RELEASE=id PERCENT=10"
        ) from None


def traffic_of(fields: Any) -> Traffic:
    """Return the split that JSON holds. Raises ValueError."""
    if type(fields) is not dict:
        raise ValueError("expected an object")
    if set(fields) != set(Traffic._fields):
        raise ValueError("expected release, beside and percent")
    traffic = Traffic(**fields)
    if type(traffic.percent) is not int or not 0 < traffic.percent < 100:
        raise ValueError(f"percent is {traffic.percent!r}, expected 1 to 99")
    return traffic
