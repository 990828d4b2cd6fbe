"""Rolling back: the model and the parts of an earlier release are served again, as a release of its own."""

from pathlib import Path
from typing import Callable, List, Optional, Set

from esteira.errors import StateError
from esteira.release.gist import SHORT_COMMIT, verdict
from esteira.release.history import (
    find_release,
    keep_release,
    make_current,
    read_history,
    read_pointer,
    readable_release,
)
from esteira.release.manifest import Release, identified
from esteira.release.places import missing_places, placed, placed_model
from esteira.release.store.interface import Store
from esteira.settings import Settings

Find = Callable[[str], Optional[Release]]


def rollback(
    settings: Settings,
    store: Store,
    text: Optional[str],
    *,
    by: str,
    at: str,
    serve: Optional[Callable[[Release], object]] = None,
) -> Optional[Release]:
    """Serve an earlier release again and return the new release that does so, None if it is served already.

    `text` is the beginning of a blessed release's id; None is the one that was served before, and the
    newest blessed one where the release that is served is lost, so that nothing tells what was before it.
    `serve` gets the release that is brought back, and raises if its model does not answer as it should; None
    asks the model over HTTP on this machine. Raises StateError if there is no such release, or parts of it are gone.
    """
    pointer = read_pointer(store)
    if not pointer.release and not text:
        raise StateError(f"{settings.selected}: nothing is deployed yet. Run: make deploy")
    current = readable_release(store, pointer.release) if pointer.release else None
    target = find_target(store, current, text)
    if current and target.origin == current.origin:
        return None
    model = whole_model(store, target)
    if serve:
        serve(placed(store, target))
    else:
        ask_model(settings, model)
    release = keep_release(store, restored(placed(store, target), current, pointer.release, by=by, at=at))
    make_current(store, release.id, if_generation=pointer.generation)
    return release


def ask_model(settings: Settings, model: str) -> None:
    """Serve a model of this machine and ask it; ServingError if it does not answer as at training."""
    from esteira.serving.smoke import smoke_test

    smoke_test(Path(model), settings=settings)


def restored(target: Release, current: Optional[Release], pointer: str, *, by: str, at: str) -> Release:
    """Return the release that brings `target` back after `current`, None if that is lost; `pointer` is its id."""
    served = current.origin if current else f"{pointer}, which is lost," if pointer else ""
    return identified(
        target.copy(
            update={
                "kind": "rollback",
                "parent": pointer or None,
                "restores": target.origin,
                "reason": f"rolled back{f' from release {served}' if served else ''} to release {target.origin}",
                "by": by,
                "at": at,
                "build": "",
            }
        )
    )


def find_target(store: Store, current: Optional[Release], text: Optional[str]) -> Release:
    if text is not None:
        return blessed_release(store, text)
    return earlier_release(store, current) if current else newest_release(store)


def newest_release(store: Store) -> Release:
    """Return the newest blessed release; StateError if there is none."""
    for release in read_history(store).releases:
        if is_blessed(release):
            return release
    raise StateError(f"{store.uri}: the current release is lost, and no other one is blessed. Run: make deploy-full")


def earlier_release(store: Store, current: Release) -> Release:
    """Return the blessed release that was served before; StateError if there is none."""
    way = way_back(current, lambda release: readable_release(store, release))
    if not way:
        raise StateError(
            f"release {current.id}: no blessed release was served before it.\n"
            "Expected one to go back to. Run: make releases    Then: make rollback RELEASE=id"
        )
    return way[-1]


def way_back(current: Release, find: Find) -> List[Release]:
    """Return the releases that lead from `current` to what a rollback goes back to, which is the last of them.

    None lead there if nothing blessed was served before. A step goes from what ran the job to its
    parent, not to what was served last: a second rollback goes one further back, and not forth again.
    """
    way: List[Release] = []
    seen: Set[str] = set()
    release = find(current.origin)
    while release is not None and release.id not in seen:
        seen.add(release.id)
        parent = find(release.parent) if release.parent else None
        origin = find(parent.origin) if parent else None
        if parent is None or origin is None:
            return []
        way += [release, parent]
        if is_blessed(origin):
            return [*way, origin]
        release = origin
    return []


def is_blessed(release: Release) -> bool:
    return verdict(release) == "yes"


def blessed_release(store: Store, text: str) -> Release:
    release = find_release(store, text)
    if not is_blessed(release):
        outcome = release.outcome
        why = f"failed: {outcome.error}" if outcome and outcome.blessed else "was not blessed"
        raise StateError(
            f"release {release.id}: its model {why}, so it can't be served.\n"
            "Expected one with yes under blessed. Run: make releases"
        )
    return release


def whole_model(store: Store, release: Release) -> str:
    """Return where the release's model lies; StateError unless it and all parts are still there."""
    missing = missing_places(store, release)
    if missing:
        lines = "".join(f"  {what}: {lacks}\n" for what, lacks in missing)
        raise StateError(
            f"release {release.id}: cannot be served again, as not all of it is there:\n{lines}"
            f"To make it anew: git checkout {release.commit[:SHORT_COMMIT]}    Then: make deploy FORCE=1"
        )
    return placed_model(store, release.outcome.model) if release.outcome else ""
