"""The Vertex AI endpoint of an environment, made once, and the models that are deployed to it.

It is a public one, which asks for credentials: a private one, in the environment's network, takes one model alone,
so that no traffic could move. https://cloud.google.com/vertex-ai/docs/predictions/using-private-endpoints
"""

import hashlib
from typing import List, Optional

from esteira.errors import ServingError
from esteira.google.api import Api, Json
from esteira.google.operations import wait_for_operation
from esteira.google.refusals import ExistsError, NotFoundError
from esteira.release.manifest import Release
from esteira.settings import Settings
from esteira.vertex.model import SERVICE
from esteira.vertex.names import CHECK, serving_labels, told

REQUEST_LOG = "request_log"
CREATE_S = 600.0


def endpoint_name(settings: Settings, identity: str) -> str:
    return f"{settings.environment.location}/endpoints/{identity}"


def find_endpoint(settings: Settings, api: Api, identity: str) -> Optional[Json]:
    """Return the endpoint, None if there is none. Raises ServingError if it serves something else."""
    name = endpoint_name(settings, identity)
    try:
        endpoint = api.call(f"look at the endpoint {identity}", SERVICE, "GET", f"v1/{name}")
    except NotFoundError:
        return None
    wanted, place = serving_labels(settings), settings.environment
    found = {key: endpoint.get("labels", {}).get(key, "") for key in wanted}
    if found != wanted:
        raise ServingError(
            f"{name}: is not the endpoint of {settings.pipeline.name} in {settings.selected}: its labels are "
            f"{told(found)}.\nExpected {told(wanted)}. Set another pipeline.name, or rename the environment; or if "
            f"it is this one's after all: gcloud ai endpoints update {identity} --project={place.project} "
            f"--region={place.region} --update-labels={told(wanted).replace(' ', '')}"
        )
    return endpoint


def made_endpoint(settings: Settings, api: Api, identity: str) -> Json:
    """Return the endpoint, made if it is not there, its request log as the settings have it. Raises GoogleError."""
    found = find_endpoint(settings, api, identity)
    if found is None:
        create(settings, api, identity)
        found = find_endpoint(settings, api, identity)
    if found is None:
        raise ServingError(f"endpoint {identity}: is not there though it was made. Run the command again.")
    set_log(settings, api, identity, found)
    return found


def set_log(settings: Settings, api: Api, identity: str, found: Json) -> None:
    """Have an endpoint log requests as the settings have it."""
    log = log_config(settings, identity)
    if found.get(LOG, NO_LOG) != log:
        path = f"v1/{endpoint_name(settings, identity)}"
        what = f"set the request log of the endpoint {identity}"
        api.call(what, SERVICE, "PATCH", path, body={LOG: log}, query={"updateMask": LOG}, repeat=True)


LOG = "predictRequestResponseLoggingConfig"
NO_LOG = {"enabled": False}


def create(settings: Settings, api: Api, identity: str) -> None:
    """Make the endpoint; one that is being made already, since an answer was lost, is waited for."""
    what = f"create the endpoint {identity}"

    def find() -> Optional[Json]:
        return {"done": True} if find_endpoint(settings, api, identity) else None

    path, body = f"v1/{settings.environment.location}/endpoints", endpoint_body(settings, identity)
    try:
        operation = api.call(what, SERVICE, "POST", path, body=body, query={"endpointId": identity}, find=find)
    except ExistsError:
        return
    wait_for_operation(api, what, SERVICE, operation, timeout_s=CREATE_S)


def endpoint_body(settings: Settings, identity: str) -> Json:
    """Return what the endpoint is made as."""
    labels, key = serving_labels(settings), settings.environment.kms_key
    body: Json = {"displayName": identity, "labels": labels, LOG: log_config(settings, identity)}
    return {**body, "encryptionSpec": {"kmsKeyName": key}} if key else body


def log_config(settings: Settings, identity: str) -> Json:
    """Return what of its requests an endpoint logs: what is asked for in earnest, if texts may be kept as they are.

    Where they may not, the container logs (esteira/serving/container.py): Vertex AI writes them as they come.
    """
    place, log = settings.environment, settings.log
    if not log.percent or log.text != "keep" or identity.endswith(CHECK):
        return NO_LOG
    table = f"bq://{place.project}.{place.dataset}.{REQUEST_LOG}"
    return {"enabled": True, "samplingRate": log.percent / 100, "bigqueryDestination": {"outputUri": table}}


def deployed_models(endpoint: Json) -> List[Json]:
    """Return what is deployed, the oldest first."""
    found: List[Json] = endpoint.get("deployedModels", [])
    return sorted(found, key=lambda deployed: str(deployed.get("createTime", "")))


def find_deployed(endpoint: Json, release: Release, version: str = "") -> Optional[Json]:
    """Return the deployed model that serves a release, None if none does.

    A release that was run again has another version of the model: the one that was deployed last is meant.
    """
    for deployed in reversed(deployed_models(endpoint)):
        if deployed.get("displayName") == release.origin and version in ("", deployed.get("modelVersionId")):
            return deployed
    return None


def share_of(endpoint: Json, deployed: Json) -> int:
    """Return the percentage of the traffic that a deployed model gets."""
    return int(endpoint.get("trafficSplit", {}).get(deployed["id"], 0))


def deployed_id(identity: str, release: Release, version: str) -> str:
    """Return the id that a release is deployed under, up to ten digits: a second deployment of it is refused."""
    digest = hashlib.sha256(f"{identity}/{release.origin}/{version}".encode()).hexdigest()
    return str(10**9 + int(digest, 16) % (9 * 10**9))
