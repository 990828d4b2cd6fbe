"""The traffic of the endpoint: moved to a release at once, and back if that does not answer."""

import time
from contextlib import suppress
from typing import Dict, List, Optional, Sequence

from esteira.errors import GoogleError, ServingError
from esteira.google.api import Api, Json
from esteira.google.operations import pauses
from esteira.monitoring.views import OWN
from esteira.release.history import readable_release
from esteira.release.manifest import Release
from esteira.release.store.interface import Store
from esteira.serving.checks import fault_within, is_prediction
from esteira.settings import Settings
from esteira.vertex.deploy import undeploy
from esteira.vertex.endpoint import deployed_models, endpoint_name, find_deployed, find_endpoint, share_of
from esteira.vertex.endpoint_log import hold_log, settle_log
from esteira.vertex.model import SERVICE, make_default
from esteira.vertex.names import serving_id
from esteira.vertex.predict import ask
from esteira.vertex.smoke import smoke_release

# How long it may take until the traffic has moved.
SETTLE_S = 120.0
TEXT = f"{OWN} is it you who answers?"


def promote_release(settings: Settings, api: Api, release: Release, *, settle_s: float = SETTLE_S) -> None:
    """Give all traffic to the deployed model of a release, and see that it answers; it can be done again.

    The endpoint's log is off from then on where it must be; to switch it on is what is left to do (settle_log).
    Where TFX's Pusher deploys, in the run, nothing is left to do. Raises ServingError if the model is not deployed,
    or does not answer as a model should within `settle_s`: the traffic is then as it was.
    """
    if settings.endpoint.by == "pusher":
        return
    identity = serving_id(settings)
    endpoint = find_endpoint(settings, api, identity) or {}
    deployed = find_deployed(endpoint, release)
    if deployed is None:
        raise ServingError(
            f"release {release.origin}: its model is not deployed to the endpoint {identity}.\n"
            f"Run: make deploy ENV={settings.selected}    It is smoke-tested, and deployed, again."
        )
    before = endpoint.get("trafficSplit", {})
    wanted = {one["id"]: 100 if one is deployed else 0 for one in deployed_models(endpoint)}
    move_traffic(settings, api, endpoint, [deployed], wanted)
    fault = fault_of_traffic(settings, api, deployed, settle_s)
    if fault:
        back = taken_back(settings, api, before, wanted) + log_again(settings, api)
        if not int(before.get(deployed["id"], 0)):
            taken_away(settings, api, deployed)
        raise ServingError(
            f"release {release.origin}: its model does not answer on the endpoint {identity}: {fault}\n{back}"
        )
    make_default(settings, api, deployed["modelVersionId"])


def restore_release(
    settings: Settings, api: Api, store: Store, release: Release, *, settle_s: float = SETTLE_S
) -> None:
    """Give all traffic to a release that was served before: at once where its model is still deployed.

    Where it is not, it is deployed again and smoke-tested first. Raises ServingError if it does not answer
    rightly, with the traffic as it was, or if TFX's Pusher deploys, which no rollback can do.
    """
    if settings.endpoint.by == "pusher":
        raise ServingError(
            f'release {release.origin}: cannot be brought back, as endpoint.by = "pusher": TFX deploys a model in '
            "the run that trained it, and keeps none beside it.\n"
            f"To train and deploy it again: git checkout {release.commit[:12] or 'COMMIT'}    "
            f"Then: make deploy-full ENV={settings.selected}"
        )
    endpoint = find_endpoint(settings, api, serving_id(settings)) or {}
    if find_deployed(endpoint, release) is None:
        smoke_release(settings, api, store, release)
    promote_release(settings, api, release, settle_s=settle_s)


def move_traffic(settings: Settings, api: Api, endpoint: Json, coming: Sequence[Json], split: Dict[str, int]) -> None:
    """Give models the traffic that they have not yet, with the endpoint's log off before if one of them logs itself.

    Raises GoogleError, with the log as it should be for the traffic as it is.
    """
    hold_log(settings, api, endpoint, coming)
    if all(share_of(endpoint, one) == split[one["id"]] for one in deployed_models(endpoint)):
        return
    try:
        set_traffic(settings, api, split)
    except GoogleError:
        log_again(settings, api)
        raise


def log_again(settings: Settings, api: Api) -> str:
    """Set the endpoint's log as it should be for the traffic as it is; return a line that says so if it cannot be."""
    try:
        endpoint = find_endpoint(settings, api, serving_id(settings))
        if endpoint is not None:
            settle_log(settings, api, endpoint)
    except GoogleError as error:
        return f"\nThe endpoint may log nothing now: {error}\nRun: make deploy ENV={settings.selected}"
    return ""


def set_traffic(settings: Settings, api: Api, split: Dict[str, int]) -> None:
    """Set the percentage of each deployed model; they must add up to 100, or there is none."""
    identity = serving_id(settings)
    path, query = f"v1/{endpoint_name(settings, identity)}", {"updateMask": "trafficSplit"}
    what = f"move the traffic of the endpoint {identity}"
    api.call(what, SERVICE, "PATCH", path, body={"trafficSplit": split}, query=query, repeat=True)


def fault_of_traffic(settings: Settings, api: Api, deployed: Json, settle_s: float) -> str:
    """Return what is wrong with the answers of the endpoint, "" once the deployed model answers rightly.

    For a moment another one may still be asked.
    """
    limit_s = time.monotonic() + settle_s
    for pause_s in pauses(10):
        try:
            answered = ask(settings, api, serving_id(settings), [{"text": TEXT}])
        except (GoogleError, ServingError) as error:
            return str(error)
        if answered.deployed_id == deployed["id"]:
            (row,) = answered.predictions
            return fault_of_row(row)
        if time.monotonic() > limit_s:
            break
        time.sleep(pause_s)
    return f"the deployed model {answered.deployed_id or 'without an id'} answers in place of {deployed['id']}"


def fault_of_row(row: Json) -> str:
    """Return what in a prediction contradicts the rest of it; how many classes there are is not known here."""
    if not is_prediction(row):
        return f"expected label, confidence and probabilities, got {str(row)[:200]}"
    fault = fault_within({**row, "label": ""}, [""] * len(row["probabilities"]))
    return f"expected {fault[0]}, got {fault[1]}" if fault else ""


def taken_back(settings: Settings, api: Api, before: Dict[str, int], wanted: Dict[str, int]) -> str:
    """Set the traffic back to what it was and return a sentence that says so."""
    told = ", ".join(f"{share} % to {name}" for name, share in sorted(before.items()) if share) or "none"
    split = {name: int(before.get(name, 0)) for name in wanted}
    if split == wanted:
        return f"It had the traffic before, and keeps it. Run: make rollback ENV={settings.selected}"
    try:
        set_traffic(settings, api, split if any(split.values()) else {})
    except GoogleError as error:
        return f"The traffic could not be set back to {told}: {error}\nRun: make rollback ENV={settings.selected}"
    return f"The traffic is as it was: {told}. Run the deploy again."


def taken_away(settings: Settings, api: Api, deployed: Json) -> None:
    """Undeploy a model that did not answer, so that it does not stay in the place of one that a rollback needs."""
    with suppress(GoogleError):
        undeploy(settings, api, serving_id(settings), deployed)


def remove_older(settings: Settings, api: Api, store: Store, release: Release) -> List[str]:
    """Undeploy what has no traffic, but the endpoint.keep that served last before a release, and return the rest's ids.

    What served is told by the history, and where it ends, by what was deployed last: a model that a rollback has
    brought back was deployed long ago. The versions of the model stay, so that a rollback can deploy them again.
    """
    if settings.endpoint.by == "pusher":
        return []
    identity, keep = serving_id(settings), settings.endpoint.keep
    endpoint = find_endpoint(settings, api, identity) or {}
    idle = [one for one in reversed(deployed_models(endpoint)) if not share_of(endpoint, one)]
    served = served_before(store, release, keep)
    idle.sort(key=lambda one: served.index(one["displayName"]) if one.get("displayName") in served else len(served))
    older = [one for one in deployed_models(endpoint) if one in idle[keep:]]
    for deployed in older:
        undeploy(settings, api, identity, deployed)
    return [str(deployed.get("displayName", deployed["id"])) for deployed in older]


def served_before(store: Store, release: Release, count: int) -> List[str]:
    """Return which releases, at most `count`, served before one, the last one first, as far as the history tells."""
    served: List[str] = []
    before: Optional[Release] = release
    while before is not None and before.parent and len(served) < count:
        before = readable_release(store, before.parent)
        if before is not None and before.origin not in (release.origin, *served):
            served.append(before.origin)
    return served
