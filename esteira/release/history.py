"""The releases of an environment, and the pointer `current` to the one that is served."""

import re
from functools import partial
from typing import Callable, Dict, List, NamedTuple, Optional

from esteira.errors import StateError
from esteira.release.manifest import (
    ID_DIGITS,
    ID_PATTERN,
    MANIFEST,
    Outcome,
    Release,
    UnreadableError,
    manifest_name,
    read_release,
    write_release,
)
from esteira.release.store.interface import ABSENT, ConflictError, Store
from esteira.release.store.names import remove_command

CURRENT = "current"
# How many digits a mistyped id shares with the one that is meant.
LIKELY_DIGITS = 3
# A bucket takes its time for each manifest.
READERS = 8


class Pointer(NamedTuple):
    """The id of the release that is served, "" before the first, and the pointer's generation."""

    release: str
    generation: int


class History(NamedTuple):
    """The releases that can be read, the newest first, and the ids of those whose manifest is damaged."""

    releases: List[Release]
    unreadable: List[str]


def read_pointer(store: Store) -> Pointer:
    """Return which release is served. Raises StateError if what lies there is no id of a release."""
    stored = store.read(CURRENT)
    if stored is None:
        return Pointer("", ABSENT)
    # Latin-1 holds any bytes, and those that an id is made of as UTF-8 does.
    release = stored.content.decode("latin-1").strip()
    if not re.match(ID_PATTERN, release):
        place = f"{store.uri}/{CURRENT}"
        raise StateError(
            f"{place}: holds no id of a release. Expected {ID_DIGITS} hexadecimal digits.\n"
            f"Run: {remove_command(place)}    Then: make rollback RELEASE=id (make releases lists them)"
        )
    return Pointer(release, stored.generation)


def make_current(store: Store, release: str, *, if_generation: int) -> None:
    """Move `current` to a release, if it is still at the generation that the deploy began with.

    Raises ConflictError if another deploy has moved it since.
    """
    try:
        store.write(CURRENT, f"{release}\n".encode(), if_generation=if_generation)
    except ConflictError:
        # A deploy that was killed right after moving it, and now goes on.
        served = read_pointer(store).release
        if served != release:
            raise overtaken(store, release, served) from None


def overtaken(store: Store, release: str, served: str) -> ConflictError:
    """Return the error of a release that is not served, as `served` was promoted meanwhile."""
    return ConflictError(
        f"{store.uri}/{CURRENT}: another deploy was faster: release {served} is served.\n"
        f"Release {release} stays in the history. Run: make plan"
    )


def current_release(store: Store) -> Optional[Release]:
    """Return the release that is served, None before the first. Raises StateError if it is lost."""
    current = read_pointer(store).release
    release = known_release(store, current) if current else None
    if current and release is None:
        raise StateError(
            f"{store.uri}/{manifest_name(current)}: the current release {current} is lost.\n"
            "Run: make rollback RELEASE=id (make releases lists them)"
        )
    return release


def served_release(store: Store, environment: str) -> Release:
    """Return the release that is served; StateError if nothing is."""
    release = current_release(store)
    if release is None:
        raise StateError(f"{environment}: nothing is deployed yet. Run: make deploy-full")
    return release


def load_release(store: Store, release: str) -> Release:
    """Return the release of an id; StateError if there is none or it cannot be read."""
    known = known_release(store, release)
    if known is None:
        raise StateError(f"{store.uri}/{manifest_name(release)}: there is no such release. Run: make releases")
    return known


def known_release(store: Store, release: str) -> Optional[Release]:
    """Return the release of an id, None if there is none. Raises StateError if it cannot be read."""
    name = manifest_name(release)
    stored = store.read(name)
    return None if stored is None else read_release(stored.content, f"{store.uri}/{name}")


def readable_release(store: Store, release: str) -> Optional[Release]:
    """Return the release of an id, None if there is none or its manifest is damaged."""
    try:
        return known_release(store, release)
    except UnreadableError:
        return None


def find_release(store: Store, text: str, variable: str = "RELEASE") -> Release:
    """Return the release whose id begins with `text`, which the user gave as `variable`.

    Raises StateError unless there is exactly one.
    """
    ids = sorted(release_ids(store))
    found = [text] if text in ids else [release for release in ids if release.startswith(text)]
    if len(found) != 1:
        told = f"is the beginning of {', '.join(found)}." if found and text else "there is no such release."
        meant = "" if found else likely(text, ids)
        raise StateError(
            f"{variable}={text}: {told}{meant} Expected an id that make releases lists. Run: make releases"
        )
    return load_release(store, found[0])


def likely(text: str, ids: List[str]) -> str:
    """Return " Perhaps you meant …." with the id that begins most like a text, "" if none begins so at all."""
    beginnings = [text[:length] for length in range(len(text), LIKELY_DIGITS - 1, -1)]
    best = next((release for begun in beginnings for release in ids if release.startswith(begun)), "")
    return f" Perhaps you meant {best}." if best else ""


def release_ids(store: Store) -> List[str]:
    names = [entry.name.split("/") for entry in store.list("releases")]
    return [parts[1] for parts in names if len(parts) == 3 and parts[2] == MANIFEST]


def read_releases(store: Store) -> List[Release]:
    """Return every release of the history, the newest first. Raises StateError if one cannot be read."""
    return newest_first(read_each(store, known_release))


def read_history(store: Store) -> History:
    """Return the releases that can be read, the newest first, and the ids of those that cannot."""
    unreadable: List[str] = []

    def read(store: Store, release: str) -> Optional[Release]:
        try:
            return known_release(store, release)
        except UnreadableError:
            unreadable.append(release)
            return None

    return History(newest_first(read_each(store, read)), sorted(unreadable))


def read_each(store: Store, read: Callable[[Store, str], Optional[Release]]) -> List[Release]:
    # Here, and not above, since a plan has no need of it.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(partial(read, store), release_ids(store))
        # One that is removed while the history is read is no longer in it.
        return [release for release in found if release is not None]


def newest_first(releases: List[Release]) -> List[Release]:
    return sorted(releases, key=lambda release: (release.at, release.id), reverse=True)


def promoted(releases: List[Release], current: str) -> List[Release]:
    """Return the releases that were served, from `current` back over its parents."""
    known = {release.id: release for release in releases}
    chain: Dict[str, Release] = {}
    while current in known and current not in chain:
        chain[current] = known[current]
        current = known[current].parent or ""
    return list(chain.values())


def keep_release(store: Store, release: Release) -> Release:
    """Write a release's manifest, and return what lies there.

    The release that is served stays as it is, and so does its own of a deploy that goes on after it was
    killed. An earlier try at the same release is replaced: another deploy made it, and its run is over.
    Raises ConflictError if somebody else writes it at the same time.
    """
    name, content = manifest_name(release.id), write_release(release)
    stored = store.read(name)
    if stored is not None:
        known = read_release(stored.content, f"{store.uri}/{name}")
        if (known.at, known.by) == (release.at, release.by) or read_pointer(store).release == release.id:
            return known
    store.write(name, content, if_generation=stored.generation if stored else ABSENT)
    return release


def keep_outcome(store: Store, release: str, outcome: Outcome) -> Release:
    """Add to a release's manifest what its run came to; return the release with it.

    Raises ConflictError if somebody else changes it at the same time.
    """
    name = manifest_name(release)
    stored = store.read(name)
    if stored is None:
        raise StateError(f"{store.uri}/{name}: there is no such release. Run: make releases")
    known = read_release(stored.content, f"{store.uri}/{name}").copy(update={"outcome": outcome})
    store.write(name, write_release(known), if_generation=stored.generation)
    return known
