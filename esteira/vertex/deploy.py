"""Deploying a release's model to an endpoint, and undeploying it.

A deployment takes minutes. The id of a deployed model follows from the release, so that one whose answer was lost,
or that was not waited for to its end, is found again, and none is made twice.
"""

import time
from typing import Callable, Optional

from esteira.errors import GoogleError, ServingError
from esteira.google.api import Api, Json
from esteira.google.operations import pauses, wait_for_operation
from esteira.google.refusals import AGAIN, AbortedError, ExistsError, NotFoundError
from esteira.release.manifest import Release
from esteira.settings import Settings
from esteira.vertex.endpoint import deployed_id, endpoint_name, find_deployed, find_endpoint
from esteira.vertex.links import log_link
from esteira.vertex.model import SERVICE

# Less than what the steps smoke and promote may take (cloudbuild/steps.j2), so that it is told what took so long.
# Vertex AI itself gives up after two hours at most (ModelContainerSpec.deploymentTimeout): the next try goes on.
DEPLOY_S = 3600.0
UNDEPLOY_S = 600.0
CPU = "aiplatform.googleapis.com/prediction/online/cpu/utilization"


def begin_deploy(settings: Settings, api: Api, identity: str, model: str, release: Release, *, serve: bool) -> Json:
    """Deploy a version of the model and return the operation, {} if a former one goes on.

    With `serve` it gets all traffic, else none: the traffic is not touched. Other operations on the endpoint are
    waited for.
    """
    version = version_of(model)
    body: Json = {"deployedModel": deployed_body(settings, identity, model, release)}
    if serve:
        # "0" stands for what is being deployed.
        body["trafficSplit"] = {"0": 100}

    def find() -> Optional[Json]:
        endpoint = find_endpoint(settings, api, identity)
        return {"done": True} if endpoint and find_deployed(endpoint, release, version) else None

    found = find()
    if found:
        return found
    path = f"v1/{endpoint_name(settings, identity)}:deployModel"
    what = deploy_words(identity, release)
    try:
        return when_free(lambda: api.call(what, SERVICE, "POST", path, body=body, find=find), DEPLOY_S)
    except ExistsError:
        return {}


def version_of(model: str) -> str:
    return model.rpartition("@")[2]


def when_free(act: Callable[[], Json], timeout_s: float) -> Json:
    """Return what `act` does once no other operation on the endpoint, which may take minutes, keeps it from that.

    Raises AbortedError if one still does after `timeout_s`.
    """
    limit_s = time.monotonic() + timeout_s
    for pause_s in pauses(20):
        try:
            return act()
        except AbortedError:
            if time.monotonic() > limit_s:
                raise
        time.sleep(pause_s)
    raise AssertionError("there is always another pause")


def end_deploy(
    settings: Settings, api: Api, identity: str, model: str, release: Release, operation: Json, limit_s: float
) -> Json:
    """Return the deployed model once it is there; `limit_s` is when it must be, by the monotonic clock.

    Raises ServingError with Vertex AI's reason and where to look if it cannot be deployed, GoogleError if it
    takes too long or is not to be known.
    """
    if operation.get("name"):
        what, left_s = deploy_words(identity, release), max(0.0, limit_s - time.monotonic())
        try:
            wait_for_operation(api, what, SERVICE, operation, timeout_s=left_s, longest_s=20)
        except GoogleError as error:
            # An operation that failed gives a code; all else may still go well.
            if not error.reason or error.status:
                raise
            raise ServingError(failed_text(settings, identity, error)) from None
    return wait_until_there(settings, api, identity, model, release, limit_s)


def wait_until_there(settings: Settings, api: Api, identity: str, model: str, release: Release, limit_s: float) -> Json:
    for pause_s in pauses(20):
        endpoint = find_endpoint(settings, api, identity)
        deployed = find_deployed(endpoint, release, version_of(model)) if endpoint else None
        if deployed:
            return deployed
        if time.monotonic() > limit_s:
            break
        time.sleep(pause_s)
    what = deploy_words(identity, release)
    raise GoogleError(f"Google Cloud: cannot {what}: it takes longer than {DEPLOY_S:g} s.\n{AGAIN}")


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
        "id": deployed_id(identity, release, version_of(model)),
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
        body = {"deployedModelId": deployed["id"]}
        operation = when_free(lambda: api.call(what, SERVICE, "POST", path, body=body, find=find), UNDEPLOY_S)
    except NotFoundError:
        return
    wait_for_operation(api, what, SERVICE, operation, timeout_s=UNDEPLOY_S)
