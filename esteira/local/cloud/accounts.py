"""IAM's stand-in: service accounts. https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts"""

import copy
import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Dict

from esteira.local.cloud.policies import Policies
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, Handler

Json = Dict[str, Any]


@dataclass
class Accounts:
    """The service accounts of a project. A new one is unknown to IAM for `unknown_for` changes of a policy."""

    project: str
    unknown_for: int = 0
    kept: Dict[str, Json] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)
    _young: Dict[str, int] = field(default_factory=dict)

    def put(self, email: str, **fields: Any) -> Json:
        """Make an account, as a test finds it."""
        name = f"projects/{self.project}/serviceAccounts/{email}"
        made = {"name": name, "email": email, "projectId": self.project, "uniqueId": str(10**20 + len(self.kept))}
        self.kept[email] = {**made, **fields}
        self._young[email] = self.unknown_for
        return self.kept[email]

    def is_known(self, email: str) -> bool:
        """Return whether a policy may name the account; those of other projects are not looked at."""
        if not email.endswith(f"@{self.project}.iam.gserviceaccount.com"):
            return True
        self._young[email] = self._young.get(email, 0) - 1
        return email in self.kept and self._young[email] < 0

    def find(self, call: Call) -> Json:
        email = call.parameters.get("name", call.parameters.get("resource", "")).rpartition("/")[2]
        if email not in self.kept:
            raise Refused(404, f"Unknown service account: {email}")
        return self.kept[email]

    def create(self, call: Call) -> Json:
        email = f"{call.body['accountId']}@{self.project}.iam.gserviceaccount.com"
        with self.lock:
            if email in self.kept:
                name = f"projects/{self.project}/serviceAccounts/{email}"
                raise Refused(409, f"Service account {call.body['accountId']} already exists within {name}.")
            return copy.deepcopy(self.put(email, **call.body.get("serviceAccount", {})))

    def delete(self, call: Call, policies: Policies) -> Json:
        with self.lock:
            found = self.kept.pop(self.find(call)["email"])
            policies.drop(found["email"])
            policies.forget(found["email"], found["uniqueId"])
        return {}

    def handlers(self, policies: Policies) -> Dict[str, Handler]:
        def after(find: Callable[[Json], Json]) -> Handler:
            return lambda call: find({"email": self.find(call)["email"], "body": call.body})

        return {
            "iam.projects.serviceAccounts.create": self.create,
            "iam.projects.serviceAccounts.get": lambda call: copy.deepcopy(self.find(call)),
            "iam.projects.serviceAccounts.list": lambda call: {"accounts": list(copy.deepcopy(self.kept).values())},
            "iam.projects.serviceAccounts.delete": lambda call: self.delete(call, policies),
            "iam.projects.serviceAccounts.getIamPolicy": after(lambda asked: policies.get(asked["email"])),
            "iam.projects.serviceAccounts.setIamPolicy": after(
                lambda asked: policies.set(asked["email"], asked["body"]["policy"])
            ),
            "iam.projects.serviceAccounts.testIamPermissions": after(
                lambda asked: policies.test(asked["body"]["permissions"])
            ),
        }
