"""Artifact Registry's stand-in: repositories. Their images are the registry's own business (registry.py).

https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories
"""

import copy
import threading
from dataclasses import dataclass, field
from typing import Any, Dict

from esteira.local.cloud.policies import Policies
from esteira.local.cloud.refusal import Refused, missing
from esteira.local.cloud.server import Call, Handler

Json = Dict[str, Any]
SERVICE = "artifactregistry.projects.locations"


@dataclass
class Repositories:
    """The repositories by their names. A new one is there once its operation was asked for."""

    kept: Dict[str, Json] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)

    def find(self, call: Call) -> Json:
        name = call.parameters.get("name", call.parameters.get("resource", ""))
        if name not in self.kept:
            raise missing(f"Repository {name}")
        return self.kept[name]

    def put(self, name: str, **fields: Any) -> Json:
        """Make a repository, as a test finds it."""
        self.kept[name] = {"format": "DOCKER", **fields, "name": name}
        return self.kept[name]

    def create(self, call: Call) -> Json:
        name = f"{call.parameters['parent']}/repositories/{call.parameters['repositoryId']}"
        with self.lock:
            if name in self.kept:
                raise Refused(409, f"the repository already exists: {name}")
            self.put(name, **call.body)
        return {"name": f"{call.parameters['parent']}/operations/made"}

    def list(self, call: Call) -> Json:
        beginning = call.parameters["parent"] + "/"
        kept = [entry for name, entry in self.kept.items() if name.startswith(beginning)]
        return {"repositories": copy.deepcopy(kept)}

    def patch(self, call: Call) -> Json:
        found = self.find(call)
        for key in call.parameters["updateMask"].split(","):
            found[key] = call.body.get(key)
        return copy.deepcopy(found)

    def delete(self, call: Call, policies: Policies) -> Json:
        found = self.find(call)
        del self.kept[found["name"]]
        policies.drop(found["name"])
        return {"name": f"{found['name'].partition('/repositories/')[0]}/operations/removed"}

    def handlers(self, policies: Policies) -> Dict[str, Handler]:
        kind = f"{SERVICE}.repositories"
        return {
            f"{SERVICE}.operations.get": lambda call: {"name": call.parameters["name"], "done": True, "response": {}},
            f"{kind}.create": self.create,
            f"{kind}.get": lambda call: copy.deepcopy(self.find(call)),
            f"{kind}.list": self.list,
            f"{kind}.patch": self.patch,
            f"{kind}.delete": lambda call: self.delete(call, policies),
            f"{kind}.getIamPolicy": lambda call: policies.get(self.find(call)["name"]),
            f"{kind}.setIamPolicy": lambda call: policies.set(self.find(call)["name"], call.body["policy"]),
            f"{kind}.testIamPermissions": lambda call: self.find(call) and policies.test(call.body["permissions"]),
        }
