"""A share of the endpoint's traffic for a former release's model, which is still deployed beside the current one's."""

from typing import List, Optional

from esteira.errors import ServingError, StateError
from esteira.google.api import Api, Json
from esteira.google.open import open_api
from esteira.release.history import find_release, served_release
from esteira.release.manifest import Release
from esteira.release.store import Store, open_store
from esteira.serving.traffic import read_percent
from esteira.settings import Settings
from esteira.vertex.endpoint import deployed_models, find_deployed, find_endpoint, share_of
from esteira.vertex.endpoint_log import logs_itself, serving_models, settle_log, unlogged
from esteira.vertex.names import serving_id
from esteira.vertex.traffic import move_traffic


def change_traffic(settings: Settings, release: str = "", percent: str = "", api: Optional[Api] = None) -> str:
    """Give a release a share of the endpoint's traffic and return a sentence that says how it is split.

    Without either it is only told; at 0 all goes back to the current release, whichever had a share. Raises
    StateError, ServingError for a release whose model is not deployed any more, GoogleError.
    """
    if settings.endpoint.by == "pusher":
        raise ServingError(
            'endpoint.by = "pusher": TFX deploys a model with all traffic, and keeps none beside it.\n'
            'Expected endpoint.by = "release" in esteira.toml'
        )
    store, api = open_store(settings), api or open_api(settings)
    current = served_release(store, settings.selected)
    if not percent and not release:
        return told_traffic(endpoint_of(settings, api))
    move_share(settings, api, store, current, release, read_percent(percent))
    endpoint = endpoint_of(settings, api)
    settle_log(settings, api, endpoint)
    told = filter(None, (unlogged(settings, api, deployed) for deployed in serving_models(endpoint)))
    return "\n".join([told_traffic(endpoint), *(f"request log: {line}" for line in dict.fromkeys(told))])


def move_share(settings: Settings, api: Api, store: Store, current: Release, release: str, percent: int) -> None:
    """Split the traffic. Raises ServingError for two models of which one alone logs itself."""
    endpoint = endpoint_of(settings, api)
    serving = needed(settings, endpoint, current)
    split = {one["id"]: 0 for one in deployed_models(endpoint)}
    coming = [serving]
    if percent:
        beside = find_release(store, release)
        if beside.origin == current.origin:
            raise StateError(
                f"RELEASE={beside.id}: its model is served already, by the current release {current.id}.\n"
                "Expected another one. Run: make releases"
            )
        coming.append(needed(settings, endpoint, beside))
        refuse_mixed(settings, api, *coming)
        split[coming[1]["id"]] = percent
    split[serving["id"]] = 100 - percent
    move_traffic(settings, api, endpoint, coming, split)


def refuse_mixed(settings: Settings, api: Api, serving: Json, beside: Json) -> None:
    """Raise ServingError if one of two models logs itself: the endpoint can log for none of them or for both."""
    itself, not_itself = ([one for one in (serving, beside) if logs_itself(api, one) == logs] for logs in (True, False))
    if itself and not_itself:
        name, other = (str(one[0].get("displayName")) for one in (itself, not_itself))
        raise ServingError(
            f"release {name}: its model logs its requests itself, with their texts replaced, and that of release "
            f"{other} leaves it to the endpoint, which logs for all models or for none: requests would be logged "
            "twice, or not at all.\nExpected two that were deployed with the same log.text. To serve the former one "
            f"alone: make rollback RELEASE={beside.get('displayName')} ENV={settings.selected}"
        )


def endpoint_of(settings: Settings, api: Api) -> Json:
    identity = serving_id(settings)
    endpoint = find_endpoint(settings, api, identity)
    if endpoint is None:
        raise StateError(f"endpoint {identity}: is not there yet. Run: make deploy ENV={settings.selected}")
    return endpoint


def needed(settings: Settings, endpoint: Json, release: Release) -> Json:
    """Return the deployed model of a release. Raises ServingError, with those that are deployed, if it has none."""
    found = find_deployed(endpoint, release)
    if found is None:
        names = ", ".join(str(one.get("displayName")) for one in deployed_models(endpoint)) or "none"
        raise ServingError(
            f"release {release.origin}: its model is not deployed any more to the endpoint {serving_id(settings)}, "
            f"which has those of {names}.\nTo serve it again: make rollback RELEASE={release.origin} "
            f"ENV={settings.selected}    How many stay deployed: endpoint.keep in esteira.toml"
        )
    return found


def told_traffic(endpoint: Json) -> str:
    """Return how the traffic is split, the greatest share first."""
    shares = [(share_of(endpoint, one), str(one.get("displayName", one["id"]))) for one in deployed_models(endpoint)]
    told: List[str] = []
    for share, name in sorted(shares, reverse=True):
        if share:
            told.append(f"{share} % {'to' if told else 'of the traffic goes to'} release {name}")
    return ", ".join(told) or "no release gets any traffic"
