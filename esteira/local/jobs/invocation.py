"""What a task is called with: ml_pipelines.ExecutorInput, and what it answers: ExecutorOutput."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

from esteira.errors import JobError
from esteira.local.jobs.parameters import TYPES, read_value, write_value
from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import Scalar

# These types of TFX are a file, not a folder: the value itself lies at their URI.
VALUE_TYPES = {"tfx.String", "tfx.Integer", "tfx.Float", "tfx.Boolean", "tfx.JsonValue", "tfx.Bytes"}


@dataclass
class Invocation:
    """The inputs and outputs of one execution of a task, all resolved."""

    task: str
    pipeline: str
    root: str
    run_id: str
    folder: Path
    parameters: Dict[str, Scalar]
    artifacts: Dict[str, List[Artifact]]
    outputs: Dict[str, Artifact] = field(default_factory=dict)
    output_parameters: Tuple[str, ...] = ()

    @property
    def output_file(self) -> Path:
        return self.folder / "executor_output.json"

    def parameter_file(self, key: str) -> Path:
        return self.folder / "parameters" / key

    def executor_input(self) -> Dict[str, Any]:
        """Return the ExecutorInput as JSON values."""
        return {
            "inputs": {
                "parameters": {key: write_value(value) for key, value in sorted(self.parameters.items())},
                "artifacts": {key: artifact_list(found) for key, found in sorted(self.artifacts.items())},
            },
            "outputs": {
                "parameters": {key: {"outputFile": str(self.parameter_file(key))} for key in self.output_parameters},
                "artifacts": {key: artifact_list([output]) for key, output in sorted(self.outputs.items())},
                "outputFile": str(self.output_file),
            },
        }

    def create_folders(self) -> None:
        """Create the folder of each output, and the parent of those that are a file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.output_parameters:
            self.parameter_file("").mkdir(exist_ok=True)
        for output in self.outputs.values():
            place = Path(output.uri)
            (place.parent if output.type in VALUE_TYPES else place).mkdir(parents=True, exist_ok=True)


def artifact_list(artifacts: List[Artifact]) -> Dict[str, Any]:
    return {"artifacts": [{"name": a.name, "type": a.schema, "uri": a.uri, "metadata": a.metadata} for a in artifacts]}


@dataclass(frozen=True)
class Answer:
    """An ExecutorOutput: parameters, and the URI and metadata of output artifacts."""

    parameters: Dict[str, Scalar]
    uris: Dict[str, str]
    metadata: Dict[str, Dict[str, Any]]


def read_answer(path: Path) -> Answer:
    """Return what an executor or a driver wrote. Raises JobError if it is missing or broken."""
    try:
        return parse_answer(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise JobError(
            f"{path}: cannot be read as an executor's output: {type(error).__name__}: {error}.\n"
            "Expected the command of the task to write it before it ends."
        ) from None


def parse_answer(document: Mapping[str, Any]) -> Answer:
    parameters = {key: read_value(value, key) for key, value in document.get("parameters", {}).items()}
    parameters.update(document.get("parameterValues", {}))
    artifacts = {
        key: entry["artifacts"][0] for key, entry in document.get("artifacts", {}).items() if entry.get("artifacts")
    }
    return Answer(
        parameters=parameters,
        uris={key: artifact["uri"] for key, artifact in artifacts.items() if artifact.get("uri")},
        metadata={key: dict(artifact.get("metadata", {})) for key, artifact in artifacts.items()},
    )


def read_output_parameters(invocation: Invocation, answer: Answer, types: Mapping[str, str]) -> Dict[str, Scalar]:
    """Return the output parameters of a task, from its answer or from the files it wrote."""
    values: Dict[str, Scalar] = {}
    for key, kind in types.items():
        if key in answer.parameters:
            value = answer.parameters[key]
        else:
            value = read_parameter_file(invocation.parameter_file(key), kind)
        expected = TYPES.get(kind, str)
        values[key] = expected(value) if expected in (int, float) else value
    return values


def read_parameter_file(path: Path, kind: str) -> Scalar:
    try:
        text = path.read_text(encoding="utf-8")
        value: Scalar = text if TYPES.get(kind, str) is str else json.loads(text)
    except (OSError, ValueError) as error:
        raise JobError(f"{path}: holds no output parameter of type {kind}: {error}.") from None
    return value
