"""Binding a compiled job to an image, a pipeline root and the URIs of a release's parts."""

import copy
import json
from typing import Any, Dict, List, Mapping

from esteira.errors import CompileError
from esteira.jobs.compile import IMAGE
from esteira.release.manifest import Part, Release
from esteira.release.parts import BUNDLE
from esteira.settings import Settings

Job = Dict[str, Any]
# The image that tasks run in, as docker/ and registries name it.
RUNTIME = "runtime"
METADATA_STORE = "projects/local/locations/local/metadataStores/default"


def bind_release(settings: Settings, release: Release, compiled: Job) -> Job:
    """Return the compiled job bound to the release's parts and the environment's places."""
    uris = {name: part.uri for name, part in release.parts.items()}
    return bind_job(
        compiled,
        image=image_name(release.parts["image"]),
        pipeline_root=f"{settings.bucket}/root",
        parameters={
            "data_uri": uris["data"],
            "schema_uri": f"{uris['data']}/schema",
            "modules_uri": f"{uris['modules']}/{BUNDLE}",
            "hyperparameters_uri": uris["hyperparameters"],
            "push_destination": json.dumps({"filesystem": {"base_directory": f"{settings.bucket}/serving"}}),
        },
        labels={"release": release.id},
        metadata_store=METADATA_STORE,
    )


def image_name(part: Part) -> str:
    """Return what every task of the job names as its image: by digest, the image's own where it was made.

    Where it was not, the digest of what it would be made of keeps the results of other code apart.
    """
    if not part.content:
        return f"local@{part.digest}"
    # A part that was pushed is named by where it lies, which is elsewhere by now if the registry was changed.
    return part.uri if part.uri.endswith(f"@{part.content}") else f"esteira/{RUNTIME}@{part.content}"


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
