"""Who logs what an endpoint is asked: Vertex AI, or the containers of the models that have its traffic.

The endpoint logs where log.text is "keep" and no model that has traffic logs itself: so no text is written as it came
where that is not allowed, and no request is logged twice. What a model's container does was decided when the model was
uploaded, by the settings of then, and is told by its arguments. Before traffic moves the log is only ever switched
off, and switched on only once it has moved.
"""

from typing import List, Sequence

from esteira.google.api import Api, Json
from esteira.settings import Settings
from esteira.vertex.endpoint import LOG, NO_LOG, REQUEST_LOG, deployed_models, share_of
from esteira.vertex.model import LOG_TABLE, SERVICE, get_model


def hold_log(settings: Settings, api: Api, endpoint: Json, coming: Sequence[Json] = ()) -> bool:
    """Switch the endpoint's log off where it is on and must not be, and return whether that was done.

    It must not be if log.text forbids it, or if a model that has traffic, or is `coming` to have it, logs itself.
    """
    if not is_on(endpoint) or wanted_log(settings, api, [*serving_models(endpoint), *coming])["enabled"]:
        return False
    write_log(api, endpoint, NO_LOG)
    return True


def settle_log(settings: Settings, api: Api, endpoint: Json) -> None:
    """Have the endpoint log what the models that have its traffic do not log themselves, if that may be logged."""
    log = wanted_log(settings, api, serving_models(endpoint))
    if log != (endpoint[LOG] if is_on(endpoint) else NO_LOG):
        write_log(api, endpoint, log)


def wanted_log(settings: Settings, api: Api, models: Sequence[Json]) -> Json:
    """Return what of its requests an endpoint may log while these models, which are deployed to it, have traffic."""
    place, log = settings.environment, settings.log
    if not log.percent or log.text != "keep" or any(logs_itself(api, model) for model in models):
        return NO_LOG
    table = f"bq://{place.project}.{place.dataset}.{REQUEST_LOG}"
    return {"enabled": True, "samplingRate": log.percent / 100, "bigqueryDestination": {"outputUri": table}}


def write_log(api: Api, endpoint: Json, log: Json) -> None:
    what = f"set the request log of the endpoint {str(endpoint['name']).rpartition('/')[2]}"
    path, query = f"v1/{endpoint['name']}", {"updateMask": LOG}
    api.call(what, SERVICE, "PATCH", path, body={LOG: log}, query=query, repeat=True)


def is_on(endpoint: Json) -> bool:
    return bool((endpoint.get(LOG) or {}).get("enabled"))


def serving_models(endpoint: Json) -> List[Json]:
    return [deployed for deployed in deployed_models(endpoint) if share_of(endpoint, deployed)]


def logs_itself(api: Api, deployed: Json) -> bool:
    """Return whether the container of a deployed model logs requests, as its arguments say."""
    model = get_model(api, f"{str(deployed['model']).partition('@')[0]}@{deployed['modelVersionId']}")
    return LOG_TABLE in model.get("containerSpec", {}).get("args", [])


def unlogged(settings: Settings, api: Api, deployed: Json) -> str:
    """Return why requests to a deployed model are not logged as the settings have it, "" if they are."""
    log, name = settings.log, str(deployed.get("displayName", deployed["id"]))
    by_itself, again = logs_itself(api, deployed), f"until the next deploy: make deploy ENV={settings.selected}"
    if not log.percent:
        if by_itself:
            return f"log.percent is 0, but release {name} logs itself, as it was deployed, {again}"
        return "log.percent is 0: it is off"
    if log.text != "keep" and not by_itself:
        return (
            f'nothing is logged: log.text is "{log.text}", and release {name} was deployed without a log of its own, '
            f"which would replace texts. So it is {again}"
        )
    return ""


def held_text(settings: Settings, endpoint: Json) -> str:
    """Return what is said where the log was switched off before another model has the traffic."""
    names = ", ".join(str(one.get("displayName", one["id"])) for one in serving_models(endpoint)) or "none"
    why = "log.percent is 0" if not settings.log.percent else f'log.text is "{settings.log.text}"'
    if settings.log.percent and settings.log.text == "keep":
        return f"request log: off at the endpoint, as its model logs itself: release {names}"
    return (
        f"request log: off at the endpoint from now on, as {why}: of release {names}, which serves, nothing is logged "
        "until another one has the traffic"
    )
