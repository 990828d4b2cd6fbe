"""The endpoint that TFX's Pusher deploys to in a run, which it finds by its name and gives an id of Google's.

VertexPredictionClient in tfx/extensions/google_cloud_ai_platform/prediction_clients.py.
"""

from typing import NamedTuple

from esteira.errors import ServingError
from esteira.google.api import Api, Json
from esteira.settings import Settings
from esteira.vertex.model import SERVICE, get_model
from esteira.vertex.names import serving_id


class Pushed(NamedTuple):
    """The endpoint's id, the deployed model that gets its traffic, and where that lies in Cloud Storage."""

    identity: str
    deployed: Json
    artifacts: str


def pushed_endpoint(settings: Settings, api: Api) -> Json:
    """Return the endpoint that bears the environment's name, as TFX looks for it; ServingError if there is none."""
    name = serving_id(settings)
    path, query = f"v1/{settings.environment.location}/endpoints", {"filter": f'displayName="{name}"'}
    for endpoint in api.pages(f"look for the endpoint {name}", SERVICE, path, "endpoints", query):
        return endpoint
    raise ServingError(
        f'there is no endpoint {name} in {settings.environment.location}, which endpoint.by = "pusher" has the run '
        f"make. See what its Pusher says: make logs ENV={settings.selected}"
    )


def pushed_id(settings: Settings, api: Api) -> str:
    return str(pushed_endpoint(settings, api)["name"]).rpartition("/")[2]


def find_pushed(settings: Settings, api: Api) -> Pushed:
    """Return what the Pusher deployed last, which it gives all traffic. Raises ServingError, GoogleError."""
    endpoint = pushed_endpoint(settings, api)
    identity, traffic = str(endpoint["name"]).rpartition("/")[2], endpoint.get("trafficSplit", {})
    for deployed in endpoint.get("deployedModels", []):
        if traffic.get(deployed["id"]) == 100:
            model = get_model(api, f"{deployed['model'].partition('@')[0]}@{deployed['modelVersionId']}")
            return Pushed(identity, deployed, str(model.get("artifactUri", "")))
    raise ServingError(
        f"endpoint {identity}: no model has all of its traffic: {traffic or 'there is none'}.\n"
        f"Expected what the run's Pusher deployed. See what it says: make logs ENV={settings.selected}"
    )
