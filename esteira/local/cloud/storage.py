"""Cloud Storage's stand-in: buckets are kept here, their objects by the real bucket server (contents.py).

https://cloud.google.com/storage/docs/json_api/v1/buckets
"""

import base64
import copy
import threading
from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Set
from urllib.parse import parse_qs, urlsplit

from esteira.clock import now
from esteira.local.cloud.contents import Contents
from esteira.local.cloud.numbers import PROJECT_NUMBER
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, Handler

Json = Dict[str, Any]

NO_BUCKET = "The specified bucket does not exist."
TAKEN = (
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
    "Please select a different name and try again."
)
YOURS = "Your previous request to create the named bucket succeeded and you already own it."
# Fields that Google makes, so that nobody can change them.
FIXED = ("kind", "id", "name", "location", "projectNumber", "metageneration", "etag", "timeCreated", "updated")
REGIONS = {"US", "EU", "ASIA"}  # https://cloud.google.com/storage/docs/locations#location-mr


@dataclass
class Buckets:
    """The buckets of the project, and of strangers; thread-safe. Objects are at `contents`, if there is one.

    `lacking` are the permissions on buckets that whoever asks has not.
    """

    contents: Optional[Contents] = None
    project: str = "demo-project"
    number: str = PROJECT_NUMBER
    lacking: Set[str] = field(default_factory=set)
    resources: Dict[str, Json] = field(default_factory=dict)
    policies: Dict[str, Json] = field(default_factory=dict)
    strangers: Set[str] = field(default_factory=set)
    lock: Any = field(default_factory=threading.RLock)

    def put(self, name: str, location: str = "europe-west1", *, stranger: bool = False, **fields: Any) -> Json:
        """Make a bucket, as a test finds it, and return its resource; a stranger's one is of another project."""
        given = {"name": name, "location": location, **fields}
        with self.lock:
            number = "210987654321" if stranger else self.number
            self.resources[name] = resource = new_bucket(given, number)
            self.policies[name] = new_policy(name, self.project)
            if stranger:
                self.strangers.add(name)
            if self.contents:
                self.contents.make_bucket(name)
            return resource

    def find(self, call: Call, permission: str) -> Json:
        """Return the bucket that a call names; Refused without it, or without the permission."""
        name = call.parameters["bucket"]
        if name not in self.resources:
            raise Refused(404, NO_BUCKET)
        if name in self.strangers or permission in self.lacking:
            raise Refused(403, storage_denial(permission, "bucket"))
        found = self.resources[name]
        expected = call.parameters.get("ifMetagenerationMatch")
        if expected not in (None, found["metageneration"]):
            raise Refused(412, "At least one of the pre-conditions you specified did not hold.")
        return found

    def get(self, call: Call) -> Json:
        return copy.deepcopy(self.find(call, "storage.buckets.get"))

    def list(self, call: Call) -> Json:
        if call.parameters.get("project") != self.project:
            raise Refused(404, "The requested project was not found.")
        prefix = call.parameters.get("prefix", "")
        names = sorted(name for name in self.resources if name.startswith(prefix) and name not in self.strangers)
        return {"kind": "storage#buckets", "items": [copy.deepcopy(self.resources[name]) for name in names]}

    def insert(self, call: Call) -> Json:
        name = call.body["name"]
        with self.lock:
            if name in self.resources:
                raise Refused(409, TAKEN if name in self.strangers else YOURS)
            if call.parameters.get("project") != self.project:
                raise Refused(404, "The requested project was not found.")
            if "storage.buckets.create" in self.lacking:
                raise Refused(403, storage_denial("storage.buckets.create", "project"))
            return copy.deepcopy(self.put(**call.body))

    def patch(self, call: Call) -> Json:
        with self.lock:
            found = self.find(call, "storage.buckets.update")
            merge(found, {key: value for key, value in call.body.items() if key not in FIXED})
            return copy.deepcopy(change(found))

    def delete(self, call: Call) -> None:
        with self.lock:
            name = self.find(call, "storage.buckets.delete")["name"]
            if self.contents:
                self.contents.remove_bucket(name)
            del self.resources[name], self.policies[name]

    def get_policy(self, call: Call) -> Json:
        return self.policies[self.find(call, "storage.buckets.getIamPolicy")["name"]]

    def set_policy(self, call: Call) -> Json:
        with self.lock:
            name = self.find(call, "storage.buckets.setIamPolicy")["name"]
            there = self.policies[name]
            if call.body.get("etag") not in (None, there["etag"]):
                raise Refused(412, "At least one of the pre-conditions you specified did not hold.")
            self.policies[name] = {**there, **call.body, "etag": next_etag(there["etag"])}
            return self.policies[name]

    def test_permissions(self, call: Call) -> Json:
        asked = parse_qs(urlsplit(call.path).query).get("permissions", [])
        name = call.parameters["bucket"]
        if name not in self.resources:
            raise Refused(404, NO_BUCKET)
        lacking = set(asked) if name in self.strangers else self.lacking
        held = [permission for permission in asked if permission not in lacking]
        return {"kind": "storage#testIamPermissionsResponse", **({"permissions": held} if held else {})}

    def agent(self, call: Call) -> Json:
        """Return the service agent, which encrypts with the project's keys."""
        address = f"service-{self.number}@gs-project-accounts.iam.gserviceaccount.com"
        return {"kind": "storage#serviceAccount", "email_address": address}


def handlers(buckets: Buckets) -> Dict[str, Handler]:
    """Return what answers for buckets and, if their contents are served, for objects."""
    return {
        "storage.buckets.get": buckets.get,
        "storage.buckets.list": buckets.list,
        "storage.buckets.insert": buckets.insert,
        "storage.buckets.patch": buckets.patch,
        "storage.buckets.delete": buckets.delete,
        "storage.buckets.getIamPolicy": buckets.get_policy,
        "storage.buckets.setIamPolicy": buckets.set_policy,
        "storage.buckets.testIamPermissions": buckets.test_permissions,
        "storage.projects.serviceAccount.get": buckets.agent,
        **(buckets.contents.handlers() if buckets.contents else {}),
    }


def paths(buckets: Buckets) -> Dict[str, Handler]:
    """Return what answers the paths of contents."""
    return buckets.contents.paths() if buckets.contents else {}


def new_bucket(given: Json, number: str) -> Json:
    """Return a bucket's resource, what is given over what Google sets."""
    name, location = given["name"], given.get("location", "US").upper()
    at = now()
    made = {
        "kind": "storage#bucket",
        "id": name,
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
        "projectNumber": number,
        "locationType": "multi-region" if location in REGIONS else "region",
        "storageClass": "STANDARD",
        "metageneration": "1",
        "etag": etag(1),
        "timeCreated": at,
        "updated": at,
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": False},
            "publicAccessPrevention": "inherited",
        },
    }
    merge(made, given)
    return {**made, "location": location}


def new_policy(name: str, project: str) -> Json:
    """Return the policy that a bucket begins with. https://cloud.google.com/storage/docs/access-control/iam-roles"""
    owners = [f"projectEditor:{project}", f"projectOwner:{project}"]
    return {
        "kind": "storage#policy",
        "resourceId": f"projects/_/buckets/{name}",
        "version": 1,
        "etag": etag(1),
        "bindings": [
            {"role": "roles/storage.legacyBucketOwner", "members": owners},
            {"role": "roles/storage.legacyBucketReader", "members": [f"projectViewer:{project}"]},
        ],
    }


def merge(target: Json, patch: Json) -> None:
    """Change a resource as a patch says: null removes a field, objects are merged. https://www.rfc-editor.org/rfc/rfc7396"""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = value


def change(resource: Json) -> Json:
    """Return the resource at its next metageneration."""
    number = int(resource["metageneration"]) + 1
    resource.update(metageneration=str(number), etag=etag(number), updated=now())
    return resource


def etag(number: int) -> str:
    """Return an etag in the form that Cloud Storage gives them: CAE= for the first."""
    return base64.b64encode(bytes((8, number % 256, number // 256)[: 3 if number > 255 else 2])).decode("ascii")


def next_etag(before: str) -> str:
    _, low, *high = base64.b64decode(before)
    return etag(low + 256 * (high[0] if high else 0) + 1)


def storage_denial(permission: str, what: str) -> str:
    """Return Cloud Storage's words for a missing permission."""
    return (
        f"developer@example.com does not have {permission} access to the Google Cloud Storage {what}. "
        f"Permission '{permission}' denied on resource (or it may not exist)."
    )
