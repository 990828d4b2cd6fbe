"""Binding a compiled job to an image, a pipeline root and the URIs of a release's parts."""

import copy
from pathlib import Path
from typing import Any, Dict, List, Mapping

from esteira.errors import CompileError
from esteira.files import read_json
from esteira.jobs.compile import IMAGE

Job = Dict[str, Any]


def bind_job(
    job: Job,
    *,
    image: str,
    pipeline_root: str,
    parameters: Mapping[str, str],
    labels: Mapping[str, str],
    metadata_store: str,
) -> Job:
    """Return a copy of the job that names everything it reads.

    `metadata_store` is the resource name of the metadata store that runs are kept
    in (projects/P/locations/L/metadataStores/default). Raises CompileError if the
    job and `parameters` do not fit.
    """
    bound = copy.deepcopy(job)
    spec = bound["pipelineSpec"]
    check_parameters(spec, parameters)
    for executor in executors(spec):
        if "container" in executor and executor["container"].get("image") == IMAGE:
            executor["container"]["image"] = image
        for query in executor.get("resolver", {}).get("outputArtifactQueries", {}).values():
            query["filter"] += f' AND in_context("{metadata_store}/contexts/{spec["pipelineInfo"]["name"]}")'
    bound["runtimeConfig"] = {
        "gcsOutputDirectory": pipeline_root,
        # Schema 2.0.0 takes typed values; `parameterValues` came with 2.1.0.
        "parameters": {name: {"stringValue": value} for name, value in sorted(parameters.items())},
    }
    bound["labels"] = {**bound.get("labels", {}), **labels}
    return bound


def executors(spec: Dict[str, Any]) -> List[Dict[str, Any]]:
    return list(spec.get("deploymentSpec", {}).get("executors", {}).values())


def check_parameters(spec: Dict[str, Any], parameters: Mapping[str, str]) -> None:
    declared = spec.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    unknown = sorted(set(parameters) - set(declared))
    if unknown:
        raise CompileError(
            f"pipeline/pipeline.py: the job has no runtime parameter {', '.join(unknown)}.\n"
            f"Expected each of {', '.join(sorted(parameters))} to be one, so that a partial deploy can change it. "
            f"It has: {', '.join(sorted(declared)) or 'none'}."
        )


def read_job(path: Path) -> Job:
    """Return a job file's content; StateError if it is missing or damaged."""
    job: Job = read_json(path, ".venv/bin/inv compile")
    return job
