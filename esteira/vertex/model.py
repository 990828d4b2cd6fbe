"""The Vertex AI model of a pipeline: each release that is served is a version of it, found by its alias.

https://cloud.google.com/vertex-ai/docs/model-registry/versioning
"""

from typing import List, Optional

from esteira.errors import ServingError
from esteira.google.api import Api, Json
from esteira.google.operations import wait_for_operation
from esteira.google.refusals import ExistsError, NotFoundError
from esteira.jobs.bind import pushed_image
from esteira.release.manifest import Release
from esteira.release.places import placed_model
from esteira.release.store.interface import Store
from esteira.serving.client import model_path
from esteira.settings import Settings

SERVICE = "aiplatform"
MANAGED = {"managed-by": "esteira"}
PORT = 8080
UPLOAD_S = 1800.0
DEFAULT = "default"


def release_alias(release: Release) -> str:
    return f"release-{release.origin}"


def model_name(settings: Settings) -> str:
    """Return the resource name of the pipeline's model."""
    return f"{settings.environment.location}/models/{settings.pipeline.name}"


def uploaded_model(settings: Settings, api: Api, store: Store, release: Release) -> str:
    """Return the resource name, with its version, of the model that holds a release; it is uploaded if it is not there.

    Raises GoogleError, ServingError for a model that nobody pushed, StateError for an image that nobody pushed.
    """
    found = find_version(settings, api, release)
    if found is None:
        operation = upload(settings, api, store, release)
        wait_for_operation(api, upload_words(release), SERVICE, operation, timeout_s=UPLOAD_S)
        found = get_model(api, f"{model_name(settings)}@{release_alias(release)}")
    return f"{model_name(settings)}@{found['versionId']}"


def find_version(settings: Settings, api: Api, release: Release) -> Optional[Json]:
    """Return the version that holds a release, None if there is none."""
    try:
        return get_model(api, f"{model_name(settings)}@{release_alias(release)}")
    except NotFoundError:
        return None


def upload(settings: Settings, api: Api, store: Store, release: Release) -> Json:
    """Upload a release's model as the first or a further version, and return the operation.

    An upload whose answer was lost is found by its alias, or, while it goes on, refused the second time.
    """
    name = model_name(settings)
    body: Json = {"model": model_body(settings, store, release)}
    try:
        check_ours(settings, get_model(api, name))
        body["parentModel"] = name
    except NotFoundError:
        body["modelId"] = settings.pipeline.name

    def find() -> Optional[Json]:
        found = find_version(settings, api, release)
        return {"done": True, "response": found} if found else None

    path = f"v1/{settings.environment.location}/models:upload"
    try:
        return api.call(upload_words(release), SERVICE, "POST", path, body=body, find=find)
    except ExistsError as error:
        found = find()
        if found is None:
            raise ServingError(
                f"{error}\n{name} is being made by an upload whose answer was lost. Run the command again."
            ) from None
        return found


def upload_words(release: Release) -> str:
    return f"upload the model of release {release.origin}"


def get_model(api: Api, name: str) -> Json:
    return api.call(f"look for {name}", SERVICE, "GET", f"v1/{name}")


def check_ours(settings: Settings, model: Json) -> None:
    """Raise ServingError for a model that somebody else made under the pipeline's name."""
    if model.get("labels", {}).get("managed-by") != MANAGED["managed-by"]:
        raise ServingError(
            f"{model_name(settings)}: was not made by Esteira: it has no label managed-by=esteira.\n"
            "Expected the pipeline's name to be free. Remove that model, or set another pipeline.name"
        )


def model_body(settings: Settings, store: Store, release: Release) -> Json:
    """Return the model that a release is uploaded as."""
    place = settings.environment
    artifacts = placed_model(store, release.outcome.model) if release.outcome else ""
    if not artifacts:
        again = f"make deploy FORCE=1 ENV={settings.selected}"
        raise ServingError(f"release {release.id}: no model was pushed. Run: {again}")
    labels = {**MANAGED, "pipeline": settings.pipeline.name, "release": release.origin}
    body: Json = {
        "displayName": settings.pipeline.name,
        "versionDescription": f"release {release.origin}",
        "versionAliases": [release_alias(release)],
        "labels": labels,
        "artifactUri": artifacts,
        "containerSpec": container_spec(settings, release, artifacts),
    }
    if place.kms_key:
        body["encryptionSpec"] = {"kmsKeyName": place.kms_key}
    return body


def container_spec(settings: Settings, release: Release, artifacts: str) -> Json:
    """Return what serves the model: the image of the settings as it is, or the release's own and our server in it."""
    if settings.endpoint.image:
        return {"imageUri": settings.endpoint.image}
    route = model_path(settings.pipeline.name)
    return {
        "imageUri": pushed_image(settings, release.id, release.parts["image"]),
        "command": ["python", "-m", "esteira.serving.container"],
        "args": server_arguments(settings, artifacts),
        "ports": [{"containerPort": PORT}],
        "predictRoute": f"{route}:predict",
        "healthRoute": route,
    }


def server_arguments(settings: Settings, artifacts: str) -> List[str]:
    """Return what the server is not told by Vertex AI, which copies the model to a place of another name."""
    pushed = artifacts.rstrip("/").rpartition("/")[2]
    version = pushed if pushed.isascii() and pushed.isdigit() else "1"
    arguments = {
        "--version": version,
        "--max-batch": str(settings.serving.max_batch),
        "--project": settings.environment.project,
    }
    return [text for pair in arguments.items() for text in pair]


def make_default(settings: Settings, api: Api, version: str) -> None:
    """Make a version the one that is meant where none is named, as by batch predictions."""
    name = f"{model_name(settings)}@{version}"
    body = {"versionAliases": [DEFAULT]}
    path = f"v1/{name}:mergeVersionAliases"
    api.call(f"make {name} the default version", SERVICE, "POST", path, body=body, repeat=True)
