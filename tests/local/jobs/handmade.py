"""Jobs made by hand, whose tasks are small Python scripts: the shape of KubeflowV2DagRunner's JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence

from rich.console import Console

from esteira.local.jobs.run import RunResult, run_job
from esteira.progress import Progress
from esteira.settings import Settings, load_settings

REPOSITORY = Path(__file__).resolve().parents[3]
IMAGE = "local@sha256:" + "0" * 64
# What a script finds: `given` is its ExecutorInput, `out(key)` the place of an output artifact.
PRELUDE = """
import json, os, sys, time
given = json.loads(sys.argv[1])
def out(key): return given["outputs"]["artifacts"][key]["artifacts"][0]["uri"]
def into(key): return given["inputs"]["artifacts"][key]["artifacts"][0]["uri"]
def answer(**metadata):
    artifacts = {key: {"artifacts": [{"metadata": values}]} for key, values in metadata.items()}
    with open(given["outputs"]["outputFile"], "w") as stream:
        json.dump({"artifacts": artifacts}, stream)
"""
WRITE = "open(out('result') + '/file', 'w').write('done')"


def schema(title: str) -> Dict[str, str]:
    return {"instanceSchema": f"title: {title}\ntype: object\n"}


def component_of(name: str, outputs: Mapping[str, str]) -> Dict[str, Any]:
    artifacts = {key: {"artifactType": schema(title)} for key, title in outputs.items()}
    return {"executorLabel": f"{name}_executor", "outputDefinitions": {"artifacts": artifacts}}


def source_of(place: str) -> Dict[str, Any]:
    producer, key = place.split(".")
    return {"taskOutputArtifact": {"producerTask": producer, "outputArtifactKey": key}}


class HandmadeJob:
    """A PipelineJob that grows task by task; `document` is its JSON."""

    def __init__(self, root: Path, pipeline: str = "handmade") -> None:
        self.tasks: Dict[str, Any] = {}
        self.components: Dict[str, Any] = {}
        self.executors: Dict[str, Any] = {}
        self.document: Dict[str, Any] = {
            "displayName": pipeline,
            "runtimeConfig": {"gcsOutputDirectory": str(root)},
            "pipelineSpec": {
                "schemaVersion": "2.0.0",
                "sdkVersion": "tfx-1.14.0",
                "pipelineInfo": {"name": pipeline},
                "components": self.components,
                "deploymentSpec": {"executors": self.executors},
                "root": {"dag": {"tasks": self.tasks}},
            },
        }

    def add(
        self,
        name: str,
        executor: Mapping[str, Any],
        inputs: Optional[Mapping[str, str]] = None,
        outputs: Optional[Mapping[str, str]] = None,
        after: Sequence[str] = (),
        parameters: Optional[Mapping[str, Any]] = None,
    ) -> "HandmadeJob":
        self.executors[f"{name}_executor"] = dict(executor)
        self.components[name] = component_of(name, outputs or {})
        self.tasks[name] = {
            "taskInfo": {"name": name},
            "componentRef": {"name": name},
            "cachingOptions": {"enableCache": True},
            "dependentTasks": list(after),
            "inputs": {
                "artifacts": {key: source_of(place) for key, place in (inputs or {}).items()},
                "parameters": dict(parameters or {}),
            },
        }
        return self

    def script(self, name: str, code: str = WRITE, **options: Any) -> "HandmadeJob":
        """Add a task that runs Python code; it puts out `result` unless told otherwise."""
        options.setdefault("outputs", {"result": "tfx.Schema"})
        command = ["python", "-c", PRELUDE + code]
        return self.add(name, {"container": {"image": IMAGE, "command": command, "args": ["{{$}}"]}}, **options)

    def importer(self, name: str, uri: str, title: str = "tfx.Schema", reimport: bool = False) -> "HandmadeJob":
        artifact_uri = {"constantValue": {"stringValue": uri}}
        executor = {"importer": {"artifactUri": artifact_uri, "typeSchema": schema(title), "reimport": reimport}}
        return self.add(name, executor, outputs={"result": title})

    def resolver(
        self, name: str, key: str, title: str, query: str, inputs: Optional[Dict[str, str]] = None
    ) -> "HandmadeJob":
        executor = {"resolver": {"outputArtifactQueries": {key: {"filter": query}}}}
        return self.add(name, executor, inputs=inputs, outputs={key: title})

    def with_parameters(self, **values: str) -> "HandmadeJob":
        declared = {name: {"type": "STRING"} for name in values}
        self.document["pipelineSpec"]["root"]["inputDefinitions"] = {"parameters": declared}
        self.document["runtimeConfig"]["parameterValues"] = values
        return self


def run(job: HandmadeJob, settings: Settings, run_id: str) -> RunResult:
    with Progress([], Console(quiet=True)) as report:
        return run_job(job.document, settings=settings, run_id=run_id, report=report)


def start_run(job: HandmadeJob, settings: Settings, run_id: str) -> "subprocess.Popen[str]":
    """Start run_job in a process of its own, which tests can kill."""
    document = json.dumps(job.document)
    command = [sys.executable, "-m", "tests.local.jobs.handmade", str(settings.root), document, run_id]
    environ = {
        **os.environ,
        "ESTEIRA_STATE": str(settings.state),
        "ESTEIRA_RUN_ISOLATION": settings.run.isolation,
    }
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def run_in_process(root: str, document: str, run_id: str) -> None:
    with Progress([]) as report:
        run_job(
            json.loads(document),
            settings=load_settings(Path(root), os.environ, {}),
            run_id=run_id,
            report=report,
        )


def states(result: RunResult) -> Dict[str, str]:
    return {name: task.state for name, task in result.tasks.items()}


if __name__ == "__main__":
    run_in_process(*sys.argv[1:])
