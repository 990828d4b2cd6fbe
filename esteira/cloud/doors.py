"""Where the policy of each kind of thing is read and written."""

from esteira.cloud.grant import Scope
from esteira.cloud.mirror import Mirror, find_mirror
from esteira.cloud.policy import VERSION, Door
from esteira.settings import Environment

ASKED = {"options.requestedPolicyVersion": VERSION}
DATASET_ASKED = {"accessPolicyVersion": VERSION}


def door(scope: Scope, target: str, place: Environment) -> Door:
    """Return how to reach the policy of `target`."""
    if scope == "project":
        path, body = f"v1/projects/{target}", {"options": {"requestedPolicyVersion": VERSION}}
        read, write = ("POST", f"{path}:getIamPolicy"), ("POST", f"{path}:setIamPolicy")
        return Door("cloudresourcemanager", read, write, body=body)
    if scope == "bucket":
        path, query = f"b/{target}/iam", {"optionsRequestedPolicyVersion": VERSION}
        return Door("storage", ("GET", path), ("PUT", path), query=query, wrapped=False)
    if scope == "repository":
        mirror = find_mirror(target) or Mirror(place.region, place.project, target)
        path = f"v1/{mirror.path}"
        return Door("artifactregistry", ("GET", f"{path}:getIamPolicy"), ("POST", f"{path}:setIamPolicy"), query=ASKED)
    if scope == "dataset":
        path = f"projects/{place.project}/datasets/{target}"
        return Door("bigquery", ("GET", path), ("PATCH", path), query=DATASET_ASKED)
    if scope == "secret":
        path = f"v1/projects/{place.project}/secrets/{target}"
        return Door("secretmanager", ("GET", f"{path}:getIamPolicy"), ("POST", f"{path}:setIamPolicy"), query=ASKED)
    path = f"v1/projects/-/serviceAccounts/{target}"
    return Door("iam", ("POST", f"{path}:getIamPolicy"), ("POST", f"{path}:setIamPolicy"), query=ASKED)
