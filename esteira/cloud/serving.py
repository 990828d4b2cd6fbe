"""What releases have made on Vertex AI, which goes when the environment goes: schedules, endpoints, the model.

Nothing of it is ever missing from a plan: a deploy makes it.
"""

import time
from typing import List

from esteira.cloud.labels import is_of
from esteira.cloud.part import OPERATION_S, Part, gone
from esteira.cloud.row import Row
from esteira.google.api import Api, Json, Pause
from esteira.google.operations import wait_for_operation
from esteira.settings import Settings
from esteira.vertex.deploy import undeploy
from esteira.vertex.endpoint import share_of
from esteira.vertex.model import SERVICE
from esteira.vertex.schedule import delete_schedules, find_schedules, schedule_title


class Schedules(Part):
    """The pipeline's schedule, which would go on to train."""

    service = SERVICE

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def look(self, api: Api) -> List[Row]:
        return []

    def names_to_remove(self, api: Api) -> List[str]:
        found = find_schedules(self._settings, api)
        return [f"schedule {schedule_title(self._settings)}"] if found else []

    def remove(self, api: Api, pause: Pause = time.sleep) -> None:
        delete_schedules(api, find_schedules(self._settings, api))


class Endpoints(Part):
    """The endpoints, whose machines cost money whether anybody asks them or not."""

    service = SERVICE

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = f"v1/{settings.environment.location}/endpoints"

    def look(self, api: Api) -> List[Row]:
        return []

    def found(self, api: Api) -> List[Json]:
        listed = api.pages("list the endpoints", SERVICE, self._path, "endpoints")
        return [endpoint for endpoint in listed if is_of(self._settings, endpoint)]

    def names_to_remove(self, api: Api) -> List[str]:
        return [f"endpoint {identity(endpoint)}" for endpoint in self.found(api)]

    def contents(self, api: Api) -> str:
        """Return what serves: whoever asks for predictions is refused from then on."""
        serving = [endpoint for endpoint in self.found(api) if endpoint.get("deployedModels")]
        counted = [f"{identity(each)} with {len(each['deployedModels'])} deployed models" for each in serving]
        return f"endpoint {', '.join(counted)}" if counted else ""

    def remove(self, api: Api, pause: Pause = time.sleep) -> None:
        """Undeploy what serves last, since only then it may go, and delete the endpoints."""
        for endpoint in self.found(api):
            deployed = sorted(endpoint.get("deployedModels", []), key=lambda each: share_of(endpoint, each))
            for each in deployed:
                undeploy(self._settings, api, identity(endpoint), each)
            finish(api, f"delete the endpoint {identity(endpoint)}", endpoint["name"], pause)


class RegisteredModel(Part):
    """The model that releases are versions of."""

    service = SERVICE

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = f"v1/{settings.environment.location}/models"

    def look(self, api: Api) -> List[Row]:
        return []

    def found(self, api: Api) -> List[Json]:
        listed = api.pages("list the models", SERVICE, self._path, "models")
        return [model for model in listed if is_of(self._settings, model)]

    def names_to_remove(self, api: Api) -> List[str]:
        return [f"model {identity(model)}" for model in self.found(api)]

    def remove(self, api: Api, pause: Pause = time.sleep) -> None:
        for model in self.found(api):
            finish(api, f"delete the model {identity(model)}", model["name"], pause)


def served(settings: Settings) -> List[Part]:
    """Return what releases have made, in the order that it is removed in."""
    return [Schedules(settings), Endpoints(settings), RegisteredModel(settings)]


def finish(api: Api, what: str, name: str, pause: Pause) -> None:
    operation = gone(api, what, SERVICE, f"v1/{name}")
    if operation.get("name"):
        wait_for_operation(api, what, SERVICE, operation, timeout_s=OPERATION_S, pause=pause)


def identity(entry: Json) -> str:
    return str(entry["name"]).rpartition("/")[2]
