"""IAM policies in the stand-in: read and written by etag. https://cloud.google.com/iam/docs/allow-policies#etag"""

import base64
import copy
import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Set

from esteira.local.cloud.refusal import Refused

Json = Dict[str, Any]
CHANGED = (
    "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. "
    "The request's ETag '{}' did not match the current policy's ETag '{}'."
)


@dataclass
class Policies:
    """The policies by a name of what they are for; thread-safe.

    `is_account` tells which service accounts of the project there are; `lacking` are the permissions that
    whoever asks has not.
    """

    project: str
    is_account: Callable[[str], bool]
    lacking: Set[str] = field(default_factory=set)
    kept: Dict[str, Json] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)

    def get(self, name: str) -> Json:
        with self.lock:
            return copy.deepcopy(self.kept.setdefault(name, {"version": 1, "etag": etag(1), "bindings": []}))

    def set(self, name: str, policy: Json) -> Json:
        with self.lock:
            there = self.get(name)
            if policy.get("etag") not in (None, there["etag"]):
                raise Refused(409, CHANGED.format(policy["etag"], there["etag"]), word="ABORTED")
            self.refuse_unknown(policy)
            bindings = [binding for binding in policy.get("bindings", []) if binding.get("members")]
            version = 3 if any("condition" in binding for binding in bindings) else 1
            number = base64.b64decode(there["etag"])[-1] + 1
            self.kept[name] = {"version": version, "etag": etag(number), "bindings": copy.deepcopy(bindings)}
            return self.get(name)

    def refuse_unknown(self, policy: Json) -> None:
        """Refuse members that are service accounts of this project and are not there."""
        for binding in policy.get("bindings", []):
            for member in binding.get("members", []):
                kind, _, email = member.partition(":")
                if kind == "serviceAccount" and not self.is_account(email):
                    raise Refused(400, f"Service account {email} does not exist.")

    def drop(self, name: str) -> None:
        """Forget the policy of what is removed."""
        self.kept.pop(name, None)

    def forget(self, email: str, uid: str) -> None:
        """Write an account that is removed as Google does. https://cloud.google.com/iam/docs/principal-identifiers"""
        member, gone = f"serviceAccount:{email}", f"deleted:serviceAccount:{email}?uid={uid}"
        for policy in self.kept.values():
            for binding in policy["bindings"]:
                binding["members"] = [gone if name == member else name for name in binding["members"]]

    def test(self, permissions: List[str]) -> Json:
        held = [permission for permission in permissions if permission not in self.lacking]
        return {"permissions": held} if held else {}

    def add(self, name: str, role: str, member: str, **condition: Json) -> None:
        """Give a role, as a person does by hand."""
        policy = self.get(name)
        self.set(name, {**policy, "bindings": [*policy["bindings"], {"role": role, "members": [member], **condition}]})

    def put(self, name: str, role: str, member: str) -> None:
        """Make a policy as a test finds it, though its member may not be there yet."""
        self.kept[name] = {"version": 1, "etag": etag(1), "bindings": [{"role": role, "members": [member]}]}

    def roles(self, name: str) -> Set[str]:
        """Return "member role" of a policy."""
        bindings = self.get(name)["bindings"]
        return {f"{member} {binding['role']}" for binding in bindings for member in binding["members"]}


def etag(number: int) -> str:
    return base64.b64encode(b"BwY" + bytes([number % 256])).decode("ascii")
