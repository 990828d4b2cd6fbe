"""A model that a prediction server answers for, ours or TensorFlow Serving."""

import json
from contextlib import suppress
from queue import Empty, LifoQueue
from typing import Any, Dict, List, Mapping, Optional, Sequence

from esteira.errors import ServingError
from esteira.serving.client import TIMEOUT_S, Answer, Client, model_path, refused
from esteira.serving.endpoint import RefusedError
from esteira.serving.interface import DEFAULT, Interface, read_interfaces
from esteira.serving.prediction import Answered

# In an answer's headers: the request's number in the log, and what answered it.
REQUEST_ID = "x-request-id"
DEPLOYED_ID = "x-vertex-ai-deployed-model-id"
VERSION = "x-vertex-ai-model-version-id"


class ServerEndpoint:
    """The model `name` of the server at `url`; threads may share it, each question has a connection of its own.

    Where the server is a Vertex AI endpoint as well, of the id `endpoint`, it is asked as one: its answers tell who
    made them.
    """

    def __init__(
        self, url: str, name: str, *, endpoint: str = "", timeout_s: float = TIMEOUT_S, retry_s: float = 0.0
    ) -> None:
        self.place = url
        self._model_path = model_path(name)
        self._endpoint_path = f"/v1/projects/local/locations/local/endpoints/{endpoint or f'{name}-local'}"
        self._timeout_s = timeout_s
        self._retry_s = retry_s
        self._idle: LifoQueue[Client] = LifoQueue()
        self._idle.put(Client(url, timeout_s=timeout_s, retry_s=retry_s))
        self._described: Dict[str, Any] = {}
        # The releases by their deployed models' ids, once it is known whether the server is an endpoint.
        self._releases: Optional[Dict[str, str]] = None
        self._predict_path = ""

    def __enter__(self) -> "ServerEndpoint":
        return self

    def __exit__(self, *failure: Any) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are not in use."""
        while not self._idle.empty():
            self._idle.get().close()

    def ask(self, instances: Sequence[Any]) -> Answered:
        """Return the answer to a request. Raises RefusedError for what the server refuses, else ServingError."""
        body = json.dumps({"instances": instances}, separators=(",", ":")).encode("ascii")
        path = self.predict_path()
        answer = self.send("POST", path, body)
        if answer.status != 200:
            raise RefusedError(str(refused(self.place + path, answer)), answer.status, answer.message)
        rows = answer.body.get("predictions") if isinstance(answer.body, dict) else None
        if not isinstance(rows, list) or len(rows) != len(instances):
            raise ServingError(
                f"{self.place}{path}: expected {len(instances)} predictions, got {str(answer.body)[:200]}.\n"
                "Is this another model? See: make serve"
            )
        request_id, deployed_id, version = (answer.headers.get(name, "") for name in (REQUEST_ID, DEPLOYED_ID, VERSION))
        return Answered(rows, request_id, deployed_id, version or self._newest(), self._release_of(deployed_id))

    def labels_of(self, answered: Answered) -> Optional[List[str]]:
        """Return the names of the classes of the model that answered, None if the server knows none.

        Of a model that is no longer there, and was not known before it went, nothing is known.
        """
        labels = self._metadata_if_there(answered.version).get("metadata", {}).get("labels")
        return labels if isinstance(labels, list) else None

    def interface(self) -> Interface:
        """Return what the model takes and gives. Raises ServingError."""
        interfaces = read_interfaces(self._metadata(""))
        if DEFAULT not in interfaces:
            raise ServingError(f"{self.place}{self._model_path}: has no signature {DEFAULT}. See: make serve")
        return interfaces[DEFAULT]

    def send(self, method: str, path: str, body: Optional[bytes] = None) -> Answer:
        """Return an answer, whatever its status, over a connection that no other thread uses."""
        try:
            client = self._idle.get_nowait()
        except Empty:
            client = Client(self.place, timeout_s=self._timeout_s, retry_s=self._retry_s)
        try:
            return client.ask(method, path, body)
        finally:
            self._idle.put(client)

    def predict_path(self) -> str:
        """Return the path that is asked: an endpoint's rawPredict, whose headers tell who answers, or a model's."""
        if not self._predict_path:
            self._read_releases()
            is_endpoint = bool(self._releases)
            self._predict_path = f"{self._endpoint_path}:rawPredict" if is_endpoint else f"{self._model_path}:predict"
        return self._predict_path

    def _read_releases(self) -> None:
        answer = self.send("GET", self._endpoint_path)
        deployed = answer.body.get("deployedModels", []) if isinstance(answer.body, dict) else []
        found = {str(one.get("id", "")): str(one.get("displayName", "")) for one in deployed}
        self._releases = {**(self._releases or {}), **found}
        # Read while they are there: a model that has answered may be gone when its answer is read.
        for version in {str(one.get("modelVersionId", "")) for one in deployed}:
            if not self._described.get(version):
                self._described.pop(version, None)
                with suppress(ServingError):
                    self._metadata_if_there(version)

    def _release_of(self, deployed_id: str) -> str:
        """Return the release of a deployed model; one that is not known yet is looked up, as after a deploy."""
        if deployed_id and deployed_id not in (self._releases or {}):
            self._read_releases()
        return (self._releases or {}).get(deployed_id, "")

    def _newest(self) -> str:
        return str(self._metadata("").get("model_spec", {}).get("version", ""))

    def _metadata_if_there(self, version: str) -> Mapping[str, Any]:
        """Return what the server says of a version, nothing if it has no such one."""
        try:
            return self._metadata(version)
        except RefusedError as refusal:
            if refusal.status != 404:
                raise
            self._described[version] = {}
            return {}

    def _metadata(self, version: str) -> Mapping[str, Any]:
        """Return what the server says of a version, "" for the one that answers by itself."""
        if version not in self._described:
            path = f"{self._model_path}/versions/{version}/metadata" if version else f"{self._model_path}/metadata"
            answer = self.send("GET", path)
            if answer.status != 200 or not isinstance(answer.body, dict):
                raise RefusedError(str(refused(self.place + path, answer)), answer.status, answer.message)
            self._described[version] = answer.body
        found: Mapping[str, Any] = self._described[version]
        return found
