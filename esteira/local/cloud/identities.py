"""IAM's stand-in: identity pools and their providers, which keep their names for 30 days after they are removed.

https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools
"""

import copy
from dataclasses import dataclass, field
from typing import Any, Dict

from esteira.local.cloud.refusal import Refused, missing
from esteira.local.cloud.server import Call, Handler

Json = Dict[str, Any]
POOLS = "iam.projects.locations.workloadIdentityPools"
PROVIDERS = f"{POOLS}.providers"


@dataclass
class Identities:
    """Pools and providers by their names, in which the project is a number."""

    project: str
    number: str
    kept: Dict[str, Json] = field(default_factory=dict)

    def name(self, text: str) -> str:
        return text.replace(f"projects/{self.project}/", f"projects/{self.number}/", 1)

    def find(self, call: Call) -> Json:
        name = self.name(call.parameters["name"])
        if name not in self.kept:
            raise missing(f"'{name}'")
        return self.kept[name]

    def create(self, call: Call) -> Json:
        kind = "providers" if "/workloadIdentityPools/" in call.parameters["parent"] else "workloadIdentityPools"
        chosen = next(value for key, value in call.parameters.items() if key.endswith("Id"))
        name = f"{self.name(call.parameters['parent'])}/{kind}/{chosen}"
        if name in self.kept:
            raise Refused(409, f"Requested entity already exists: {name}")
        if kind == "providers" and not call.body.get("attributeCondition"):
            raise Refused(400, "The attribute condition must reference one of the provider's claims.")
        self.kept[name] = {**call.body, "name": name, "state": "ACTIVE"}
        return operation(name)

    def patch(self, call: Call) -> Json:
        found = self.find(call)
        for key in call.parameters["updateMask"].split(","):
            found[key] = call.body.get(key)
        return operation(found["name"])

    def delete(self, call: Call) -> Json:
        found = self.find(call)
        if found["state"] == "DELETED":
            raise Refused(400, f"{found['name']} is deleted already.", word="FAILED_PRECONDITION")
        found["state"] = "DELETED"
        return operation(found["name"])

    def undelete(self, call: Call) -> Json:
        found = self.find(call)
        if found["state"] != "DELETED":
            raise Refused(400, f"{found['name']} is not deleted.", word="FAILED_PRECONDITION")
        found["state"] = "ACTIVE"
        return operation(found["name"])

    def handlers(self) -> Dict[str, Handler]:
        found: Dict[str, Handler] = {}
        for kind in (POOLS, PROVIDERS):
            found[f"{kind}.get"] = lambda call: copy.deepcopy(self.find(call))
            found[f"{kind}.create"] = self.create
            found[f"{kind}.patch"] = self.patch
            found[f"{kind}.delete"] = self.delete
            found[f"{kind}.undelete"] = self.undelete
            found[f"{kind}.operations.get"] = lambda call: {"name": call.parameters["name"], "done": True}
        return found


def operation(name: str) -> Json:
    """Return an operation that is not done yet."""
    return {"name": f"{name}/operations/ggaaa1"}
