"""The lineage of a release or a model: what made it, from the manifests and the metadata of runs."""

from dataclasses import replace
from typing import List, Optional, Tuple

from esteira.release.history import find_release, read_history, read_pointer, served_release
from esteira.release.inputs import readable_inputs
from esteira.release.lineage.model import find_made_model
from esteira.release.lineage.notes import list_notes
from esteira.release.lineage.records import RunRecords, open_records
from esteira.release.lineage.run import find_baseline, find_model, list_artifacts, list_tasks, verdict_on
from esteira.release.lineage.values import Deploy, Lineage, ModelOrigin, PartOrigin
from esteira.release.manifest import Part, Release, ordered_parts
from esteira.release.places import patch_place, placed_model
from esteira.release.store.interface import Store
from esteira.settings import Settings


def lineage_of(settings: Settings, store: Store, *, release: str = "", model: str = "") -> Lineage:
    """Return the lineage of a release by the beginning of its id, of a model by its place, or of what is served.

    `model` is where a model was pushed to, or the Trainer's artifact, or a file of either. Raises
    StateError if there is no such release or model, or if nothing is deployed.
    """
    history, records = read_history(store).releases, open_records(settings)
    run = ""
    if model:
        asked, run = find_made_model(model, history, records)
    else:
        asked = find_release(store, release) if release else served_release(store, settings.selected)
    return trace(settings, store, asked, run, history, records)


def trace(
    settings: Settings, store: Store, asked: Release, run: str, history: List[Release], records: RunRecords
) -> Lineage:
    """Return the lineage of a release by one of its runs; by the one that its outcome is of, if `run` is ""."""
    origin = origin_of(asked, history)
    run = run or run_of(origin, records)
    outcome = origin.outcome if origin.outcome and origin.outcome.run == run else None
    current = read_pointer(store).release
    tasks = records.tasks_of(run)
    model = find_model(tasks, outcome, run, history)
    lineage = Lineage(
        environment=settings.selected,
        store=store.uri,
        release=describe_release(store, asked),
        origin=describe_release(store, origin),
        current=current,
        is_served=is_served(store, model, current, history),
        parts=list_parts(store, origin, history),
        run=run,
        logs=outcome.logs if outcome else "",
        tasks=list_tasks(tasks, origin.parts),
        artifacts=list_artifacts(tasks, history),
        model=model,
        baseline=find_baseline(tasks, outcome, history),
        verdict=verdict_on(tasks, outcome),
        notes=(),
    )
    return replace(lineage, notes=tuple(list_notes(lineage, asked, origin.outcome)))


def origin_of(release: Release, history: List[Release]) -> Release:
    """Return the release that ran the job, as far as the history holds it."""
    known = {other.id: other for other in history}
    seen = {release.id}
    while release.origin in known and release.origin not in seen:
        seen.add(release.origin)
        release = known[release.origin]
    return release


def run_of(release: Release, records: RunRecords) -> str:
    """Return the run of a release, "" if it has none: that of a killed deploy is known to the metadata alone."""
    if release.outcome:
        return release.outcome.run
    return next(iter(records.runs_of(release.id)), "")


def is_served(store: Store, model: Optional[ModelOrigin], current: str, history: List[Release]) -> bool:
    """Return whether the release that `current` points at serves this model."""
    served = [release for release in history if release.id == current]
    if not served or not model or not model.pushed:
        return False
    outcome = served[0].outcome or origin_of(served[0], history).outcome
    return bool(outcome and placed_model(store, outcome.model) == placed_model(store, model.pushed))


def describe_release(store: Store, release: Release) -> Deploy:
    return Deploy(
        id=release.id,
        kind=release.kind,
        at=release.at,
        by=release.by,
        reason=release.reason,
        commit=release.commit,
        dirty=release.dirty,
        patch=patch_place(store, release),
        parent=release.parent or "",
    )


def list_parts(store: Store, release: Release, history: List[Release]) -> Tuple[PartOrigin, ...]:
    return tuple(describe_part(store, name, part, release.id, history) for name, part in ordered_parts(release))


def describe_part(store: Store, name: str, part: Part, release: str, history: List[Release]) -> PartOrigin:
    having = [other.id for other in history if name in other.parts and other.parts[name].digest == part.digest]
    inputs = readable_inputs(store, part.digest)
    return PartOrigin(
        name=name,
        digest=part.digest,
        content=part.content,
        uri=part.uri,
        since=having[-1] if having else release,
        files=inputs.files if inputs else {},
        values=inputs.values if inputs else {},
    )
