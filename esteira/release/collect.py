"""`make gc`: what no kept release and no running job refers to is found, shown and removed.

Manifests go first and parts after them, so that a collection that is killed leaves no release that
lacks a part, and the next one finds the rest.
"""

import re
from contextlib import contextmanager
from typing import Dict, Iterator, List, Set, Tuple

from esteira.errors import SettingsError, StateError
from esteira.local.jobs.leftovers import no_run_begins, running_runs
from esteira.local.jobs.unused import release_of
from esteira.release.collect_local import discard, local_removals, mark_deleted, pushed_models, runs_folder
from esteira.release.collection import RELEASE_FILES, Collection, Removal
from esteira.release.history import read_pointer, read_releases
from esteira.release.inputs import inputs_name
from esteira.release.manifest import Release
from esteira.release.places import model_prefix, places_of
from esteira.release.retention import kept_releases
from esteira.release.store.interface import Entry, Store
from esteira.settings import Settings

FOLDERS = ("releases", "data", "modules", "best_hyperparameters", "jobs", "inputs", "patches", "serving")
# What deploys write. Anything else in the store is somebody else's, and stays.
OURS = re.compile(
    rf"(?P<release>releases/[0-9a-f]{{12}})/(?:{'|'.join(map(re.escape, RELEASE_FILES))})$"
    r"|(?P<part>(?:data|modules|best_hyperparameters|jobs)/[0-9a-f]{64})/"
    r"|(?P<inputs>inputs/[0-9a-f]{64}\.json)$"
    # A patch waits here only until the release has it that it belongs to.
    r"|(?P<unfinished>patches/[0-9a-f]{64}\.patch)$"
    r"|(?P<model>serving/[0-9]+)/"
)


def plan_collection(settings: Settings, store: Store, keep: int) -> Collection:
    """Return what keeping the newest `keep` releases removes. Nothing is changed.

    Raises StateError if a manifest cannot be read, or for a run under way whose release is unknown.
    """
    if keep < 1:
        raise SettingsError(f"KEEP={keep}: expected the number of releases to keep, 1 or more: make gc KEEP=10")
    with known_runs(settings) as running:
        return find_unused(settings, store, keep, running)


def collect(settings: Settings, store: Store, collection: Collection) -> None:
    """Remove what was planned. The caller holds the environment's lease.

    Raises StateError, before anything is removed, if the plan would be another one by now.
    """
    if settings.is_local:
        runs_folder(settings).mkdir(parents=True, exist_ok=True)
    with known_runs(settings) as running:
        if find_unused(settings, store, collection.keep, running) != collection:
            raise StateError(
                f"{store.uri}: has changed since the list of what to remove was made. Nothing was removed.\n"
                f"Look at the new list: make gc KEEP={collection.keep}"
            )
        for removal in collection.removals:
            if removal.kind == "release":
                store.delete(f"{removal.name}/{name}" for name in RELEASE_FILES)
        mark_deleted(settings, collection.removals)
        for removal in collection.removals:
            if removal.kind != "release":
                remove(settings, store, removal)


@contextmanager
def known_runs(settings: Settings) -> Iterator[List[str]]:
    """Give the ids of the runs under way on this machine, and keep others from beginning.

    Where there never was one, nothing is made to keep them by, as the state may be for reading alone.
    """
    if not settings.is_local or not runs_folder(settings).is_dir():
        yield []
        return
    with no_run_begins(runs_folder(settings)):
        yield running_runs(runs_folder(settings))


def find_unused(settings: Settings, store: Store, keep: int, running: List[str]) -> Collection:
    releases = read_releases(store)
    busy = busy_releases(settings, releases, running)
    reasons = kept_releases(releases, read_pointer(store).release, keep, busy)
    if busy and not settings.is_local:
        # A job may take a pushed model from the cache, and only the manifests name the models here.
        reasons = {**dict.fromkeys(with_models(releases), "a job that may be running may use its model"), **reasons}
    kept = [release for release in releases if release.id in reasons]
    found = store_removals(store, needed_names(kept))
    ours = set() if busy else known_models(settings, releases)
    found = [removal for removal in found if removal.kind != "model" or removal.name in ours]
    if settings.is_local:
        removed = {release.id for release in releases if release.id not in reasons}
        found += local_removals(settings, kept, removed, running)
    return Collection(keep, reasons, tuple(running), tuple(found))


def with_models(releases: List[Release]) -> List[str]:
    return [release.id for release in releases if release.outcome and model_prefix(release.outcome.model)]


def known_models(settings: Settings, releases: List[Release]) -> Set[str]:
    """Return the prefixes of the models that a release or the metadata of a run names; others are somebody else's."""
    named = {model_prefix(release.outcome.model) for release in releases if release.outcome}
    return named | pushed_models(settings) if settings.is_local else named


def busy_releases(settings: Settings, releases: List[Release], running: List[str]) -> Set[str]:
    """Return the ids of the releases whose job runs, or, in the cloud, may run, as its end is not known."""
    if not settings.is_local:
        return {release.id for release in releases if release.outcome is None}
    known = {release.id for release in releases}
    for run in running:
        if release_of(run) not in known:
            raise StateError(
                f"run {run}: is under way, and no release says what it reads. Nothing was removed.\n"
                f"Wait for it, then run: make gc    Its logs: {runs_folder(settings) / run}"
            )
    return {release_of(run) for run in running}


def needed_names(kept: List[Release]) -> Set[str]:
    """Return the names, as `store_removals` groups them, of all that kept releases are made of."""
    needed = {f"releases/{release.id}" for release in kept}
    for release in kept:
        needed.update(prefix for _, prefix in places_of(release))
        needed.update(inputs_name(part.digest) for part in release.parts.values())
    return needed


def store_removals(store: Store, needed: Set[str]) -> List[Removal]:
    """Return what lies in the store, was laid down by a deploy, and is not needed."""
    found: Dict[Tuple[str, str], List[Entry]] = {}
    for entry in (entry for folder in FOLDERS for entry in store.list(folder)):
        match = OURS.match(entry.name)
        if match and match.lastgroup and match.group(match.lastgroup) not in needed:
            found.setdefault((match.lastgroup, match.group(match.lastgroup)), []).append(entry)
    return [
        Removal(kind, name, len(entries), sum(entry.size_bytes for entry in entries))
        for (kind, name), entries in found.items()
    ]


def remove(settings: Settings, store: Store, removal: Removal) -> None:
    if removal.name.endswith((".json", ".patch")):
        store.delete([removal.name])
    elif settings.is_local:
        discard(settings, removal)
    else:
        store.delete([entry.name for entry in store.list(removal.name)])
