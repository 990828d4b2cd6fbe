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
from esteira.vertex.names import serving_labels, told

REQUEST_LOG = "request_log"
LOG = "predictRequestResponseLoggingConfig"
NO_LOG = {"enabled": False}
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
    """Return the endpoint, made if it is not there: with its log off, see endpoint_log.py. Raises GoogleError."""
    found = find_endpoint(settings, api, identity)
    if found is None:
        create(settings, api, identity)
        found = find_endpoint(settings, api, identity)
    if found is None:
        raise ServingError(f"endpoint {identity}: is not there though it was made. Run the command again.")
    return found


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
    body: Json = {"displayName": identity, "labels": labels, LOG: NO_LOG}
    return {**body, "encryptionSpec": {"kmsKeyName": key}} if key else body


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
