"""Asking a Vertex AI endpoint.

https://cloud.google.com/vertex-ai/docs/predictions/get-online-predictions
"""

from functools import partial
from typing import Any, Dict, List, Sequence

from esteira.errors import ServingError
from esteira.google.api import Api
from esteira.serving.prediction import Answered
from esteira.settings import Settings
from esteira.vertex.endpoint import endpoint_name
from esteira.vertex.model import SERVICE
from esteira.vertex.names import serving_id
from esteira.vertex.pushed import pushed_id

Row = Dict[str, Any]


def ask_endpoint(settings: Settings, api: Api, instances: Sequence[Row]) -> List[Row]:
    """Return the predictions of the model that serves.

    Raises ServingError for an answer that is none, GoogleError if Vertex AI refuses, or the model does.
    """
    by_pusher = settings.endpoint.by == "pusher"
    identity = pushed_id(settings, api) if by_pusher else serving_id(settings)
    return ask(settings, api, identity, instances).predictions


def ask(settings: Settings, api: Api, identity: str, instances: Sequence[Any]) -> Answered:
    """Return what the endpoint answers, whichever deployed model it asks."""
    path = f"v1/{endpoint_name(settings, identity)}:predict"
    what = f"ask the endpoint {identity}"
    answer = api.call(what, SERVICE, "POST", path, body={"instances": list(instances)}, repeat=True)
    predictions = answer.get("predictions")
    if not isinstance(predictions, list) or len(predictions) != len(instances):
        raise ServingError(
            f"endpoint {identity}: expected {len(instances)} predictions, got {str(predictions)[:200]}.\n"
            "Is what serves there a prediction server? See endpoint.image in esteira.toml"
        )
    deployed_id, version = str(answer.get("deployedModelId", "")), str(answer.get("modelVersionId", ""))
    return Answered(predictions, deployed_id=deployed_id, version=version)


def raw_status(settings: Settings, api: Api, identity: str, body: bytes) -> int:
    """Return the status that the model's own server gives a body, which need not be JSON."""
    path = f"v1/{endpoint_name(settings, identity)}:rawPredict"
    send = partial(
        api.request, SERVICE, "POST", path, data=body, headers={"Content-Type": "application/json"}
    )
    status: int = api.repeated(f"ask the endpoint {identity}", send, True).status_code
    return status
