"""A compiled job as typed values: what the runner has understood of it, and nothing else.

The words are those of Vertex AI's pipeline spec, schema 2.0.0 (ml_pipelines.PipelineSpec
in kfp.pipeline_spec): the tasks of a DAG, each with a component and an executor.
"""

from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Tuple, Union

Scalar = Union[str, int, float, bool]


@dataclass(frozen=True)
class ArtifactType:
    """An artifact's type: its title (tfx.Model) and the schema as it stands in the job."""

    title: str
    schema: Dict[str, str]


@dataclass(frozen=True)
class OutputArtifact:
    type: ArtifactType
    metadata: Dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Constant:
    value: Scalar


@dataclass(frozen=True)
class RuntimeParameter:
    """A value that whoever runs the job gives."""

    name: str


@dataclass(frozen=True)
class TaskOutput:
    """An artifact or a parameter that another task puts out."""

    task: str
    key: str


ParameterSource = Union[Constant, RuntimeParameter, TaskOutput]


@dataclass(frozen=True)
class Container:
    """A command in an image; `driver` is the command that runs before the cache is asked."""

    image: str
    command: Tuple[str, ...]
    env: Dict[str, str] = field(default_factory=dict)
    driver: Tuple[str, ...] = ()
    resources: Dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Importer:
    """Names an artifact that is there already. `uri` is a constant or a parameter of the task."""

    uri: Union[Constant, RuntimeParameter]
    type: ArtifactType
    metadata: Dict[str, Any]
    reimport: bool


@dataclass(frozen=True)
class Query:
    filter: str
    limit: int


@dataclass(frozen=True)
class Resolver:
    """Asks the metadata store for artifacts: one query an output."""

    queries: Dict[str, Query]


Executor = Union[Container, Importer, Resolver]


@dataclass(frozen=True)
class Task:
    """One task of the job. `component` is its component as it stands in the job, for the cache key."""

    name: str
    executor: Executor
    parameters: Dict[str, ParameterSource]
    artifacts: Dict[str, TaskOutput]
    outputs: Dict[str, OutputArtifact]
    output_parameters: Dict[str, str]
    depends_on: Tuple[str, ...]
    condition: str
    enable_cache: bool
    component: Dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A job that can be run: `parameters` holds the values of its runtime parameters."""

    pipeline: str
    root: str
    parameters: Dict[str, Scalar]
    tasks: Dict[str, Task]

    @property
    def image(self) -> Optional[str]:
        """The image of the job's containers, if it has any."""
        return next((t.executor.image for t in self.tasks.values() if isinstance(t.executor, Container)), None)
