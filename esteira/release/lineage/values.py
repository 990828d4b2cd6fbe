"""A lineage as plain values: `dataclasses.asdict` makes JSON of it."""

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Tuple


@dataclass(frozen=True)
class Deploy:
    """A release as its manifest tells it. `patch` is where its uncommitted changes lie, "" if it had none."""

    id: str
    kind: str
    at: str
    by: str
    reason: str
    commit: str
    dirty: bool
    patch: str
    parent: str


@dataclass(frozen=True)
class PartOrigin:
    """A part with what it is made of. `since` is the oldest release of the history that has it.

    `files` maps each path to its mode and git blob; `values` are settings. Both are empty where
    the store holds no listing of them.
    """

    name: str
    digest: str
    content: str
    uri: str
    since: str
    files: Mapping[str, str]
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Made:
    """An artifact, and the task, run and release that made it; `release` is "" if it is in the history no more.

    `removed` is whether its files are known to be gone.
    """

    name: str
    type: str
    uri: str
    removed: bool
    metadata: Mapping[str, Any]
    task: str
    run: str
    release: str


@dataclass(frozen=True)
class Done:
    """A task of the run.

    `state` is executed, cached, imported, resolved, running, failed or cancelled; `cached_from` the
    run that truly executed it, "" if that is this one. `parts` names the parts that it was given.
    `inputs` and `outputs` hold (key, name of the artifact).
    """

    name: str
    state: str
    cached_from: str
    started: str
    duration_s: Optional[float]
    parts: Tuple[str, ...]
    inputs: Tuple[Tuple[str, str], ...]
    outputs: Tuple[Tuple[str, str], ...]


@dataclass(frozen=True)
class ModelOrigin:
    """A model: where it lies, and the run and release that made it, "" where they are not known.

    `pushed` is where it was pushed to be served, "" if it was not.
    """

    uri: str
    pushed: str
    run: str
    release: str


@dataclass(frozen=True)
class Verdict:
    """What the evaluation came to. `task` and `run` gave the blessing; `report` is EvaluationReport's report.json."""

    blessed: bool
    error: str
    task: str
    run: str
    uri: str
    report: Mapping[str, Any]


@dataclass(frozen=True)
class Lineage:
    """Where a release and its model come from.

    `release` was asked for. `origin` is the release that ran the job, and all below is of it: another
    one only where `release` is a rollback. `notes` are sentences on what is out of the ordinary.
    """

    environment: str
    store: str
    release: Deploy
    origin: Deploy
    current: str
    is_served: bool
    parts: Tuple[PartOrigin, ...]
    run: str
    logs: str
    tasks: Tuple[Done, ...]
    artifacts: Tuple[Made, ...]
    model: Optional[ModelOrigin]
    baseline: Optional[ModelOrigin]
    verdict: Optional[Verdict]
    notes: Tuple[str, ...]


@dataclass(frozen=True)
class PartReader:
    """A run that read a part: its release, and what each task that was given the part did (as in `Done`).

    Without tasks, the run is known from the manifest alone.
    """

    run: str
    release: str
    tasks: Tuple[Tuple[str, str], ...]


@dataclass(frozen=True)
class PartUse:
    """A part, the releases that have it and the runs that read it, both the newest first."""

    name: str
    digest: str
    content: str
    uri: str
    releases: Tuple[str, ...]
    readers: Tuple[PartReader, ...]
