"""Deploying a release's model to an endpoint, and undeploying it.

A deployment takes minutes. The id of a deployed model follows from the release, so that one whose answer was lost,
or that was not waited for to its end, is found again, and none is made twice.
"""

import time
from typing import Optional

from esteira.errors import GoogleError, ServingError
from esteira.google.api import Api, Json
from esteira.google.operations import pauses, wait_for_operation
from esteira.google.refusals import ExistsError, NotFoundError
from esteira.release.manifest import Release
from esteira.settings import Settings
from esteira.vertex.endpoint import deployed_id, endpoint_name, find_deployed, find_endpoint
from esteira.vertex.links import log_link
from esteira.vertex.model import SERVICE

# Vertex AI itself gives up after two hours at most (ModelContainerSpec.deploymentTimeout).
DEPLOY_S = 7200.0
UNDEPLOY_S = 1800.0
CPU = "aiplatform.googleapis.com/prediction/online/cpu/utilization"


def begin_deploy(settings: Settings, api: Api, identity: str, model: str, release: Release, *, serve: bool) -> Json:
    """Deploy a version of the model and return the operation, {} if a former one goes on.

    With `serve` it gets all traffic, else none: the traffic is not touched.
    """
    body: Json = {"deployedModel": deployed_body(settings, identity, model, release)}
    if serve:
        # "0" stands for what is being deployed.
        body["trafficSplit"] = {"0": 100}

    def find() -> Optional[Json]:
        endpoint = find_endpoint(settings, api, identity)
        return {"done": True} if endpoint and find_deployed(endpoint, release) else None

    found = find()
    if found:
        return found
    path = f"v1/{endpoint_name(settings, identity)}:deployModel"
    try:
        return api.call(deploy_words(identity, release), SERVICE, "POST", path, body=body, find=find)
    except ExistsError:
        return {}


def end_deploy(settings: Settings, api: Api, identity: str, release: Release, operation: Json) -> Json:
    """Return the deployed model once it is there.

    Raises ServingError with Vertex AI's reason and where to look if it cannot be deployed, GoogleError if it
    takes too long or is not to be known.
    """
    if operation.get("name"):
        try:
            wait_for_operation(
                api, deploy_words(identity, release), SERVICE, operation, timeout_s=DEPLOY_S, longest_s=20
            )
        except GoogleError as error:
            # An operation that failed gives a code; all else may still go well.
            if not error.reason or error.status:
                raise
            raise ServingError(failed_text(settings, identity, error)) from None
    return wait_until_there(settings, api, identity, release)


def wait_until_there(settings: Settings, api: Api, identity: str, release: Release) -> Json:
    limit_s = time.monotonic() + DEPLOY_S
    for pause_s in pauses(20):
        endpoint = find_endpoint(settings, api, identity)
        deployed = find_deployed(endpoint, release) if endpoint else None
        if deployed:
            return deployed
        if time.monotonic() > limit_s:
            break
        time.sleep(pause_s)
    raise GoogleError(f"Google Cloud: cannot {deploy_words(identity, release)}: it takes longer than {DEPLOY_S:g} s.")


def deploy_words(identity: str, release: Release) -> str:
    return f"deploy release {release.origin} to the endpoint {identity}"


def failed_text(settings: Settings, identity: str, error: GoogleError) -> str:
    """Return what Vertex AI says, and where the container's own words are."""
    logs = log_link(
        settings,
        f'resource.type="aiplatform.googleapis.com/Endpoint"\nresource.labels.endpoint_id="{identity}"',
    )
    return f"{error}\nSee what the container says: {logs}\nThen run the command again."


def deployed_body(settings: Settings, identity: str, model: str, release: Release) -> Json:
    """Return the deployed model that a release becomes: its machines as the settings have them."""
    endpoint = settings.endpoint
    machine: Json = {"machineType": endpoint.machine_type}
    if endpoint.accelerator_type:
        machine["acceleratorType"] = endpoint.accelerator_type
        machine["acceleratorCount"] = endpoint.accelerator_count
    return {
        "id": deployed_id(identity, release),
        "displayName": release.origin,
        "model": model,
        "dedicatedResources": {
            "machineSpec": machine,
            "minReplicaCount": endpoint.min_replicas,
            "maxReplicaCount": endpoint.max_replicas,
            "autoscalingMetricSpecs": [{"metricName": CPU, "target": endpoint.cpu_percent}],
        },
        "serviceAccount": settings.environment.runner_email,
        "enableAccessLogging": True,
    }


def undeploy(settings: Settings, api: Api, identity: str, deployed: Json) -> None:
    """Undeploy a model that has no traffic, or is the only one; one that is gone is no error."""
    what = f"undeploy {deployed.get('displayName', deployed['id'])} from the endpoint {identity}"

    def find() -> Optional[Json]:
        endpoint = find_endpoint(settings, api, identity)
        there = [one["id"] for one in (endpoint or {}).get("deployedModels", [])]
        return None if deployed["id"] in there else {"done": True}

    path = f"v1/{endpoint_name(settings, identity)}:undeployModel"
    try:
        operation = api.call(what, SERVICE, "POST", path, body={"deployedModelId": deployed["id"]}, find=find)
    except NotFoundError:
        return
    wait_for_operation(api, what, SERVICE, operation, timeout_s=UNDEPLOY_S)
