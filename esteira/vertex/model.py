"""The Vertex AI model of an environment: each release that is served is a version of it, found by its alias.

https://cloud.google.com/vertex-ai/docs/model-registry/versioning
"""

from typing import Dict, List, Optional

from esteira.errors import ServingError, SettingsError
from esteira.google.api import Api, Json
from esteira.google.operations import wait_for_operation
from esteira.google.refusals import ExistsError, NotFoundError
from esteira.jobs.bind import pushed_image
from esteira.release.manifest import Release
from esteira.release.places import placed_model
from esteira.release.store.interface import Store
from esteira.serving.client import model_path
from esteira.serving.limits import limit_options, limits_of
from esteira.settings import Settings
from esteira.vertex.names import serving_id, serving_labels, told

SERVICE = "aiplatform"
PORT = 8080
# With DEPLOY_S of deploy.py less than what the smoke step may take (cloudbuild/steps.j2).
UPLOAD_S = 900.0
DEFAULT = "default"
# The argument by which a container logs requests itself.
LOG_TABLE = "--log-table"


def release_alias(release: Release) -> str:
    return f"release-{release.origin}"


def model_name(settings: Settings) -> str:
    """Return the resource name of the environment's model."""
    return f"{settings.environment.location}/models/{serving_id(settings)}"


def uploaded_model(settings: Settings, api: Api, store: Store, release: Release) -> str:
    """Return the resource name, with its version, of the model that holds a release; it is uploaded if it is not there.

    A version that an earlier run of the release pushed gives its alias to the new one. Raises GoogleError,
    ServingError for a model that nobody pushed, StateError for an image that nobody pushed.
    """
    found = find_version(settings, api, release)
    if found is not None and found.get("artifactUri") != pushed_model(settings, store, release):
        merge_aliases(api, f"{model_name(settings)}@{found['versionId']}", f"-{release_alias(release)}")
        found = None
    if found is None:
        operation = upload(settings, api, store, release)
        wait_for_operation(api, upload_words(release), SERVICE, operation, timeout_s=UPLOAD_S)
        found = get_model(api, f"{model_name(settings)}@{release_alias(release)}")
    return f"{model_name(settings)}@{found['versionId']}"


def find_version(settings: Settings, api: Api, release: Release) -> Optional[Json]:
    """Return the version that holds a release, None if there is none. Raises ServingError for somebody else's."""
    try:
        found = get_model(api, f"{model_name(settings)}@{release_alias(release)}")
    except NotFoundError:
        return None
    check_ours(settings, found)
    return found


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
        body["modelId"] = serving_id(settings)

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
    """Raise ServingError for a model that somebody else made under that name."""
    wanted = serving_labels(settings)
    found = {key: model.get("labels", {}).get(key, "") for key in wanted}
    if found != wanted:
        raise ServingError(
            f"{model_name(settings)}: is not the model of {settings.pipeline.name} in {settings.selected}: its labels "
            f"are {told(found)}.\nExpected {told(wanted)}. Remove that model, set another pipeline.name, or rename "
            "the environment"
        )


def pushed_model(settings: Settings, store: Store, release: Release) -> str:
    """Return where the release's run pushed its model. Raises ServingError if it pushed none."""
    artifacts = placed_model(store, release.outcome.model) if release.outcome else ""
    if not artifacts:
        again = f"make deploy FORCE=1 ENV={settings.selected}"
        raise ServingError(f"release {release.id}: no model was pushed. Run: {again}")
    return artifacts


def model_body(settings: Settings, store: Store, release: Release) -> Json:
    """Return the model that a release is uploaded as."""
    place = settings.environment
    artifacts = pushed_model(settings, store, release)
    labels = {**serving_labels(settings), "release": release.origin}
    body: Json = {
        "displayName": serving_id(settings),
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
        check_own_log(settings)
        return {"imageUri": settings.endpoint.image}
    route = model_path(settings.pipeline.name)
    return {
        "imageUri": pushed_image(settings, release.id, release.parts["image"]),
        "command": ["python", "-m", "esteira.serving.container"],
        "args": server_arguments(settings, release, artifacts),
        "ports": [{"containerPort": PORT}],
        "predictRoute": f"{route}:predict",
        "healthRoute": route,
    }


def server_arguments(settings: Settings, release: Release, artifacts: str) -> List[str]:
    """Return what the server is not told by Vertex AI, which copies the model to a place of another name."""
    place, serving = settings.environment, settings.serving
    pushed = artifacts.rstrip("/").rpartition("/")[2]
    version = pushed if pushed.isascii() and pushed.isdigit() else "1"
    arguments = {
        "--version": version,
        "--max-batch": str(serving.max_batch),
        "--project": place.project,
        "--region": place.region,
        "--release": release.origin,
        **log_arguments(settings),
    }
    return [*(text for pair in arguments.items() for text in pair), *limit_options(limits_of(serving))]


def log_arguments(settings: Settings) -> Dict[str, str]:
    """Return what has the container log requests, none where Vertex AI does: it would write texts as they come."""
    place, log = settings.environment, settings.log
    if not logs_itself(settings):
        return {}
    table = f"{place.project}.{place.dataset}.request_log"
    return {LOG_TABLE: table, "--log-percent": str(log.percent), "--log-text": log.text}


def logs_itself(settings: Settings) -> bool:
    """Return whether the container is to log requests, and not the endpoint."""
    return settings.log.percent > 0 and settings.log.text != "keep"


def check_own_log(settings: Settings) -> None:
    """Raise SettingsError where texts may not be kept as they are, and what serves is not our server."""
    if logs_itself(settings):
        raise SettingsError(
            f'log.text = "{settings.log.text}": needs this repository\'s own server, which replaces texts before they '
            'are logged.\nExpected endpoint.by = "release" and no endpoint.image; or set log.percent = 0, or '
            'log.text = "keep"'
        )


def make_default(settings: Settings, api: Api, version: str) -> None:
    """Make a version the one that is meant where none is named, as by batch predictions."""
    merge_aliases(api, f"{model_name(settings)}@{version}", DEFAULT)


def merge_aliases(api: Api, name: str, alias: str) -> None:
    """Give a version an alias that no other one has from then on; with a dash before it, take it away.

    https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.models/mergeVersionAliases
    """
    body = {"versionAliases": [alias]}
    path = f"v1/{name}:mergeVersionAliases"
    api.call(f"change the aliases of {name}", SERVICE, "POST", path, body=body, repeat=True)
