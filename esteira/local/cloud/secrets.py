"""Secret Manager's stand-in. https://cloud.google.com/secret-manager/docs/reference/rest"""

import base64
from dataclasses import dataclass, field
from typing import Any, Dict

from esteira.local.cloud.policies import Policies
from esteira.local.cloud.refusal import missing
from esteira.local.cloud.server import Call, Handler

Json = Dict[str, Any]
SECRETS = "secretmanager.projects.secrets"


@dataclass
class Secrets:
    """The values of secrets by name, each at its version 1."""

    number: str
    values: Dict[str, str] = field(default_factory=dict)

    def find(self, call: Call) -> str:
        given = call.parameters.get("name", call.parameters.get("resource", ""))
        name = given.partition("/secrets/")[2].partition("/")[0]
        if name not in self.values:
            raise missing(f"Secret [{given}]")
        return name

    def path(self, call: Call) -> str:
        return f"projects/{self.number}/secrets/{self.find(call)}"

    def access(self, call: Call) -> Json:
        data = base64.b64encode(self.values[self.find(call)].encode("utf-8")).decode("ascii")
        return {"name": f"{self.path(call)}/versions/1", "payload": {"data": data}}

    def handlers(self, policies: Policies) -> Dict[str, Handler]:
        return {
            f"{SECRETS}.get": lambda call: {"name": self.path(call)},
            f"{SECRETS}.getIamPolicy": lambda call: policies.get(self.path(call)),
            f"{SECRETS}.setIamPolicy": lambda call: policies.set(self.path(call), call.body["policy"]),
            f"{SECRETS}.versions.access": self.access,
            f"{SECRETS}.versions.get": lambda call: {"name": f"{self.path(call)}/versions/1", "state": "ENABLED"},
        }
