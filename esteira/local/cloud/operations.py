"""The long-running operations of the stand-in of Vertex AI, which end when they were looked at often enough.

https://cloud.google.com/vertex-ai/docs/general/long-running-operations
"""

import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List

from esteira.local.cloud.numbers import numbered
from esteira.local.cloud.refusal import missing
from esteira.local.cloud.server import Call, Handler

TYPES = "type.googleapis.com/google.cloud.aiplatform.v1"
METHODS = (
    "aiplatform.projects.locations.operations.get",
    "aiplatform.projects.locations.endpoints.operations.get",
    "aiplatform.projects.locations.models.operations.get",
)

Json = Dict[str, Any]


class Failed(Exception):
    """What an operation ends with in place of a result; `code` is of google.rpc.Code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Operations:
    """The operations of a stand-in. Each acts once it, or what it is about, was looked at `looks` times."""

    looks: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    _known: Dict[str, Json] = field(default_factory=dict)
    _waiting: List[Callable[[], bool]] = field(default_factory=list)

    def begin(self, parent: str, kind: str, act: Callable[[], Json]) -> Json:
        """Return a new operation; `kind` names its response and metadata, such as DeployModel."""
        name = f"{parent}/operations/{len(self._known) + 1}"
        metadata = {"@type": f"{TYPES}.{kind}OperationMetadata", "genericMetadata": {}}
        operation: Json = {"name": name, "metadata": metadata, "done": False}
        self._known[name] = operation
        left = self.looks

        def look() -> bool:
            nonlocal left
            left -= 1
            if left < 0:
                end(operation, kind, act)
            return left < 0

        if not look():
            self._waiting.append(look)
        return dict(operation)

    def look(self) -> None:
        """Bring all that is under way one look nearer to its end."""
        self._waiting = [look for look in self._waiting if not look()]

    def get(self, call: Call) -> Json:
        with self.lock:
            self.look()
            name = numbered(call.parameters["name"])
            if name not in self._known:
                raise missing(name)
            return dict(self._known[name])

    def handlers(self) -> Dict[str, Handler]:
        return {method: self.get for method in METHODS}


def end(operation: Json, kind: str, act: Callable[[], Json]) -> None:
    try:
        operation["response"] = {"@type": f"{TYPES}.{kind}Response", **act()}
    except Failed as failure:
        operation["error"] = {"code": failure.code, "message": str(failure)}
    operation["done"] = True
