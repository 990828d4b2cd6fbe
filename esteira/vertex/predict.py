"""Asking a Vertex AI endpoint.

https://cloud.google.com/vertex-ai/docs/predictions/get-online-predictions
"""

import json
import time
from functools import partial
from typing import Any, Dict, List, Sequence, Tuple

from esteira.errors import ServingError
from esteira.google.api import Api
from esteira.serving.prediction import Answered
from esteira.serving.probe import REQUEST_ID, Said
from esteira.settings import Settings
from esteira.vertex.endpoint import endpoint_name
from esteira.vertex.model import SERVICE
from esteira.vertex.names import serving_id
from esteira.vertex.pushed import pushed_id

Row = Dict[str, Any]

# https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/rawPredict
DEPLOYED_ID = "X-Vertex-AI-Deployed-Model-Id"
# Statuses by which Vertex AI says that the model was not asked.
NOT_THE_MODELS = (401, 403, 404, 429, 502, 503, 504)


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


class EndpointProbe:
    """A deployed model of an endpoint as the smoke test asks it: any body gets to the model's own server.

    While others share the traffic, each body is sent up to `times`, until it is this model that answers.
    """

    def __init__(self, settings: Settings, api: Api, identity: str, deployed_id: str = "", times: int = 1) -> None:
        self.place = f"endpoint {identity}"
        self._api = api
        self._deployed_id = deployed_id
        self._times = times
        self._path = f"v1/{endpoint_name(settings, identity)}:rawPredict"

    def send(self, body: bytes) -> Said:
        """Return what the model's own server answers.

        Raises GoogleError for what Vertex AI itself refuses, ServingError if only other models answer.
        """
        for _ in range(self._times):
            said, answered_by = self._send(body)
            # Not every refusal tells whose it is.
            if self._times == 1 or answered_by in ("", self._deployed_id):
                return said
        raise ServingError(
            f"{self.place}: the deployed model {self._deployed_id} answered none of {self._times} requests, others did"
        )

    def _send(self, body: bytes) -> Tuple[Said, str]:
        """Return an answer, and the id of the deployed model whose it is, "" where that is not told."""
        what, headers = f"ask the {self.place}", {"Content-Type": "application/json"}
        request = partial(self._api.request, SERVICE, "POST", self._path, data=body, headers=headers)
        took_s = [0.0]

        def timed() -> Any:
            begun_s = time.perf_counter()
            response = request()
            took_s[0] = time.perf_counter() - begun_s
            return response

        response = self._api.repeated(what, timed, True)
        if response.status_code in NOT_THE_MODELS:
            self._api.check(what, response)
        request_id = response.headers.get(REQUEST_ID, "")
        said = Said(response.status_code, body_of(response.content), request_id, took_s[0])
        return said, str(response.headers.get(DEPLOYED_ID, ""))


def body_of(content: bytes) -> Any:
    """Return an answer's JSON; what is no JSON as text."""
    text = content.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
