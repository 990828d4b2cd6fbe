"""What answers TFX's clients in Google's stead: it keeps each body that came, as Google's documents write it."""

import json
import re
from typing import Any, Callable, Dict, List, NamedTuple

from esteira.local.cloud.discovery import discovery
from esteira.local.cloud.server import Call, Raw, StandIn, as_raw

PARENT = "projects/demo-project/locations/europe-west1"
# Maps whose keys are the user's.
MAPS = ("labels",)


class Body(NamedTuple):
    """A request's body in the names of the documents, and what they find wrong with it."""

    method: str
    body: Any
    faults: List[str]


Rewrite = Callable[[str, Any], Any]


class Recorder:
    """Serves both forms of Google's API; `bodies` are those that came, in their order."""

    def __init__(self) -> None:
        self.bodies: List[Body] = []
        self.endpoints: List[Dict[str, Any]] = []
        self.stand_in = StandIn(
            paths={
                "aiplatform/": lambda call: self.record("aiplatform", call, with_enum_names),
                "ml/": lambda call: self.record("ml", call, lambda _, body: with_json_names(body)),
            }
        )

    def record(self, service: str, call: Call, rewrite: Rewrite) -> Raw:
        api = discovery(service)
        path = call.path.partition("?")[0].lstrip("/")[len(service) + 1 :]
        found = api.find(call.http, path)
        if found is None:
            return as_raw(501, {"error": {"message": f"{call.http} {path}"}})
        method = found[0]
        if call.content:
            body = rewrite(method.id, json.loads(call.content))
            self.bodies.append(Body(method.id, body, api.request_faults(method, body)))
        answer = self.answer(method.id, path)
        faults = api.response_faults(method, answer)
        return as_raw(500, {"error": {"message": str(faults)}}) if faults else as_raw(200, answer)

    def answer(self, method: str, path: str) -> Dict[str, Any]:
        """Return what Google would: everything is done at once, and succeeds."""
        short = method.replace("projects.locations.", "").replace("projects.", "")
        if short.startswith("aiplatform.customJobs."):
            return {"name": f"{PARENT}/customJobs/1", "state": "JOB_STATE_SUCCEEDED"}
        if short == "aiplatform.endpoints.list":
            return {"endpoints": self.endpoints}
        if short == "aiplatform.endpoints.create":
            self.endpoints.append({"name": f"{PARENT}/endpoints/1", "displayName": "sentiment-dev"})
            return done("Endpoint", "endpoints/1", name=f"{PARENT}/endpoints/1")
        if short == "aiplatform.endpoints.get":
            return self.endpoints[0]
        if short == "aiplatform.models.upload":
            return done("UploadModelResponse", "models/1", model=f"{PARENT}/models/1")
        if short == "aiplatform.models.get":
            return {"name": f"{PARENT}/models/1", "supportedDeploymentResourcesTypes": ["DEDICATED_RESOURCES"]}
        if short == "aiplatform.endpoints.deployModel":
            return done("DeployModelResponse", "endpoints/1", deployedModel={"id": "1"})
        if short.startswith("ml.jobs."):
            return {"jobId": "1", "state": "SUCCEEDED"}
        if short in ("ml.models.versions.create", "ml.operations.get"):
            return {"name": "projects/demo-project/operations/1", "done": True}
        return {}


def done(kind: str, place: str, **response: Any) -> Dict[str, Any]:
    """Return a long-running operation that has ended."""
    type_url = f"type.googleapis.com/google.cloud.aiplatform.v1.{kind}"
    return {
        "name": f"{PARENT}/{place}/operations/1",
        "done": True,
        "response": {"@type": type_url, **response},
    }


def with_enum_names(method: str, body: Any) -> Any:
    """Return a body of the SDK's, which sends enums as numbers, with their names."""
    from google.cloud import aiplatform_v1

    kinds = {
        "customJobs.create": aiplatform_v1.CustomJob,
        "endpoints.create": aiplatform_v1.Endpoint,
        "endpoints.deployModel": aiplatform_v1.DeployModelRequest,
        "models.upload": aiplatform_v1.UploadModelRequest,
    }
    kind = kinds[method.partition("locations.")[2]]
    message = kind.from_json(json.dumps(body))
    options = {"use_integers_for_enums": False, "including_default_value_fields": False}
    return json.loads(kind.to_json(message, **options))


def with_json_names(value: Any) -> Any:
    """Return a body of TFX's, which has names of protocol buffers, with those of JSON; a server takes both.

    https://protobuf.dev/programming-guides/json/
    """
    if isinstance(value, list):
        return [with_json_names(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        re.sub("_([a-z])", lambda found: found.group(1).upper(), key): inner if key in MAPS else with_json_names(inner)
        for key, inner in value.items()
    }
