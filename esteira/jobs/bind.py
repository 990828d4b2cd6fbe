"""Binding a compiled job to an image, a pipeline root and the URIs of a release's parts."""

import copy
from typing import Any, Dict, List, Mapping

from esteira.errors import CompileError, StateError
from esteira.jobs.compile import IMAGE
from esteira.jobs.targets import for_target
from esteira.jobs.targets.tasks import filesystem_push
from esteira.release.manifest import Part, Release
from esteira.release.parts import BUNDLE
from esteira.settings import Settings

Job = Dict[str, Any]
# The image that tasks run in, as docker/ and registries name it.
RUNTIME = "runtime"
# The metadata store of the environment `local`.
METADATA_STORE = "projects/local/locations/local/metadataStores/default"


def bind_release(settings: Settings, release: Release, compiled: Job, project_number: str = "") -> Job:
    """Return the compiled job bound to the release's parts and the environment's places, for its target.

    `project_number` is the number of the environment's project; a job that is only looked at does without.
    Raises StateError if no task could run in the cloud, as the release's image was not pushed; CompileError if
    the job does not fit the release or the target.
    """
    uris = {name: part.uri for name, part in release.parts.items()}
    part = release.parts["image"]
    bound = bind_job(
        compiled,
        image=image_name(part) if settings.is_local else pushed_image(settings, release.id, part),
        pipeline_root=f"{settings.bucket}/root",
        parameters={
            "data_uri": uris["data"],
            "schema_uri": f"{uris['data']}/schema",
            "modules_uri": f"{uris['modules']}/{BUNDLE}",
            "hyperparameters_uri": uris["hyperparameters"],
            "push_destination": filesystem_push(f"{settings.bucket}/serving"),
        },
        labels={"release": release.id},
        metadata_store=metadata_store_of(settings, project_number),
    )
    return for_target(bound, settings, release)


def metadata_store_of(settings: Settings, project_number: str) -> str:
    """Return the resource name of the metadata store that the environment's runs are kept in.

    Vertex AI makes `default` with a project's first run, and names what is in it by the project's number:
    in_context("projects/<project_number>/locations/<location>/metadataStores/<metadatastore_name>/contexts/<context-id>")
    https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.metadataStores.artifacts/list
    """
    if settings.is_local:
        return METADATA_STORE
    place = settings.environment
    return f"projects/{project_number or place.project}/locations/{place.region}/metadataStores/default"


def image_name(part: Part) -> str:
    """Return what every task of the job names as its image: by digest, the image's own where it was made.

    Where it was not, the digest of what it would be made of keeps the results of other code apart.
    """
    if not part.content:
        return f"local@{part.digest}"
    # A part that was pushed is named by where it lies, which is elsewhere by now if the registry was changed.
    return part.uri if part.uri.endswith(f"@{part.content}") else f"esteira/{RUNTIME}@{part.content}"


def pushed_image(settings: Settings, release: str, part: Part) -> str:
    """Return the name, by digest, that the cloud pulls a release's image by; StateError if it was not pushed."""
    if not part.content or not part.uri.endswith(f"@{part.content}"):
        raise StateError(
            f"release {release}: its image {'was not pushed' if part.content else 'was not made'}, "
            "so that no task can run in it in Google Cloud.\n"
            f"Expected it at {settings.registry}/{RUNTIME}@sha256:<64 hex>. "
            f"Run: make deploy-full ENV={settings.selected}"
        )
    return part.uri


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
    in (projects/P/locations/L/metadataStores/default). A pipeline's runs are in the
    context that bears its name, on Vertex AI too: the SDK's `get_pipeline_df` finds it
    by that name (google/cloud/aiplatform/metadata/metadata.py). Raises CompileError if
    the job and `parameters` do not fit.
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
