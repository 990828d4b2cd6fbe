"""What a metadata store keeps of runs, whichever store it is: Esteira's own here, Vertex AI's in the cloud."""

from dataclasses import dataclass, field
from typing import Any, List, Mapping, Optional, Tuple

from typing_extensions import Protocol

from esteira.settings import Settings

METADATA = "metadata.sqlite"
MODEL = "tfx.Model"
PUSHED_MODEL = "tfx.PushedModel"
# Where TFX's Pusher says it has put the model, which lies outside of its artifact's own folder.
PUSHED_DESTINATION = "pushed_destination"


@dataclass(frozen=True)
class ArtifactRecord:
    """An artifact. `run` and `task` are those that made it, whoever took it from the cache since.

    `state` is PENDING, LIVE, ABANDONED or DELETED, as Vertex ML Metadata has it.
    """

    name: str
    type: str
    uri: str
    state: str
    metadata: Mapping[str, Any]
    run: str
    task: str


Artifacts = Mapping[str, Tuple[ArtifactRecord, ...]]


@dataclass(frozen=True)
class TaskRecord:
    """How a task of a run went.

    `state` is RUNNING, COMPLETE, CACHED, FAILED or CANCELLED; `cached_from` the run whose outputs it
    took, "" for none: an importer or a resolver is CACHED without one. Times are seconds since 1970.
    """

    run: str
    task: str
    state: str
    cached_from: str
    parameters: Mapping[str, Any]
    started_s: float
    finished_s: Optional[float]
    inputs: Artifacts = field(default_factory=dict)
    outputs: Artifacts = field(default_factory=dict)


class RunRecords(Protocol):
    """The questions that a lineage asks of a metadata store. Nothing is changed by them."""

    def tasks_of(self, run: str) -> List[TaskRecord]:
        """Return the tasks of a run in the order of their start, none if the run is unknown."""

    def runs_of(self, release: str) -> List[str]:
        """Return the runs of a release, whose ids begin with its id and a dash, the latest first."""

    def runs_with_model(self, uri: str) -> List[str]:
        """Return the runs that put out the model that lies or was pushed at `uri`, the one that made it first."""

    def readers_of(self, uri: str) -> List[TaskRecord]:
        """Return the tasks that were given something at or below `uri`, or that imported it."""


class NoRecords:
    """The records of an environment that has none at hand."""

    def tasks_of(self, run: str) -> List[TaskRecord]:
        return []

    def runs_of(self, release: str) -> List[str]:
        return []

    def runs_with_model(self, uri: str) -> List[str]:
        return []

    def readers_of(self, uri: str) -> List[TaskRecord]:
        return []


def open_records(settings: Settings) -> RunRecords:
    """Return the records of the chosen environment's runs. Nothing is made where there are none."""
    path = settings.state / METADATA
    if not settings.is_local or not path.exists():
        return NoRecords()
    from esteira.local.jobs.records import SqliteRecords

    return SqliteRecords(path)


def lies_at(uri: str, place: str) -> bool:
    """Return whether a URI is a place or lies below it."""
    return bool(place) and (uri == place or uri.startswith(f"{place}/"))


def artifacts_in(artifacts: Artifacts) -> List[Tuple[str, ArtifactRecord]]:
    """Return (key, artifact) for each artifact of a task's inputs or outputs."""
    return [(key, artifact) for key, found in artifacts.items() for artifact in found]


def places_given(task: TaskRecord) -> List[str]:
    """Return the texts among a task's parameters, and the places of what it put out: what it may have read."""
    texts = [value for value in task.parameters.values() if isinstance(value, str)]
    return texts + [artifact.uri for _, artifact in artifacts_in(task.outputs)]
