"""A served model as the smoke test asks it: any body is sent, and what comes back is looked at, whatever it is."""

import json
import time
from typing import Any, Dict, List, NamedTuple, Sequence

from typing_extensions import Protocol

from esteira.errors import ServingError
from esteira.serving.client import Client, model_path

REQUEST_ID = "x-request-id"


class Said(NamedTuple):
    """An answer: its JSON, its request's id in the log, "" where there is none, and how long it took."""

    status: int
    body: Any
    request_id: str
    took_s: float

    @property
    def message(self) -> str:
        """What a refusal says, "" where it says nothing."""
        said = self.body.get("error", "") if isinstance(self.body, dict) else self.body
        said = said.get("message", "") if isinstance(said, dict) else said
        return said if isinstance(said, str) else ""


class Probe(Protocol):
    """`place` is what messages call it."""

    place: str

    def send(self, body: bytes) -> Said:
        """Return what the model's own server answers to a body. Raises ServingError or GoogleError if it does not."""


class ServerProbe:
    """A version of the model `name` of a server, over one connection: another one may share the traffic."""

    def __init__(self, client: Client, name: str, version: int) -> None:
        self.place = client.url
        self.client = client
        self.path = f"{model_path(name)}/versions/{version}"

    def send(self, body: bytes) -> Said:
        return self.post(f"{self.path}:predict", body)

    def post(self, path: str, body: bytes) -> Said:
        begun_s = time.perf_counter()
        answer = self.client.ask("POST", path, body)
        took_s = time.perf_counter() - begun_s
        return Said(answer.status, answer.body, answer.headers.get(REQUEST_ID, ""), took_s)


def encoded(**fields: Any) -> bytes:
    """Return the body of a request."""
    return json.dumps(fields).encode("ascii")


def ask(probe: Probe, instances: Sequence[Any]) -> List[Dict[str, Any]]:
    """Return a prediction for each instance. Raises ServingError for any other answer."""
    said = probe.send(encoded(instances=instances))
    rows = said.body.get("predictions") if said.status == 200 and isinstance(said.body, dict) else None
    if not isinstance(rows, list):
        raise ServingError(f"{probe.place}: answered with status {said.status}: {said.message or str(said.body)[:200]}")
    return rows
