"""Workload identity federation: GitHub's workflows become the build account for an hour, without any key.

https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines#github-actions
"""

from typing import List, Optional, Sequence

from esteira.cloud.labels import is_marked, marked
from esteira.cloud.part import OPERATION_S, Difference, Resource, compare, gone, read_or_none
from esteira.errors import GoogleError
from esteira.google.api import Api, Json, Pause
from esteira.google.operations import wait_for_operation
from esteira.settings import Environment

POOL = "esteira"
PROVIDER = "github"
ISSUER = "https://token.actions.githubusercontent.com"
# https://docs.github.com/en/actions/reference/security/oidc#oidc-token-claims
MAPPING = {
    "google.subject": "assertion.sub",
    "attribute.repository": "assertion.repository",
}


class Identity(Resource):
    """A pool or a provider. Google keeps a removed one for 30 days, under its name."""

    service = "iam"

    def __init__(self, path: str, parent: str) -> None:
        self.path = path
        self._parent = parent

    def body(self) -> Json:
        raise NotImplementedError

    def read_any(self, api: Api) -> Optional[Json]:
        return read_or_none(api, f"read {self.kind} {self.name}", "iam", f"v1/{self.path}")

    def read(self, api: Api) -> Optional[Json]:
        found = self.read_any(api)
        return found if found and found.get("state") != "DELETED" else None

    def is_ours(self, found: Json) -> bool:
        return is_marked(found)

    def differences(self, found: Json) -> List[Difference]:
        wrong = [Difference("disabled", True, False)] if found.get("disabled") else []
        return wrong + compare(found, self.body())

    def create(self, api: Api, pause: Pause) -> None:
        removed = self.read_any(api)
        what, (collection, _, name) = f"create {self.kind} {self.name}", self.path.rpartition("/")
        if removed is not None:
            made = api.call(what, "iam", "POST", f"v1/{self.path}:undelete", body={}, find=lambda: self.read(api))
        else:
            query = {f"{self._parent}Id": name}
            path, body = f"v1/{collection}", self.body()
            made = api.call(what, "iam", "POST", path, body=body, query=query, find=lambda: self.read(api))
        self.finish(api, what, made, pause)
        found = self.read(api)
        if found is not None and self.differences(found):
            self.update(api, found)

    def update(self, api: Api, found: Json) -> None:
        body = {**self.body(), "disabled": False}
        query = {"updateMask": ",".join(sorted(body))}
        what = f"change {self.kind} {self.name}"
        api.call(what, "iam", "PATCH", f"v1/{self.path}", body=body, query=query, repeat=True)

    def delete(self, api: Api, pause: Pause) -> None:
        what = f"delete {self.kind} {self.name}"
        try:
            self.finish(api, what, gone(api, what, "iam", f"v1/{self.path}"), pause)
        except GoogleError:
            # The first answer may have been lost: what is removed already cannot be removed again.
            if self.read(api) is not None:
                raise

    def finish(self, api: Api, what: str, operation: Json, pause: Pause) -> None:
        """Wait for an operation; after a lost answer there is the thing itself in its place."""
        if "/operations/" in operation.get("name", ""):
            wait_for_operation(api, what, "iam", operation, timeout_s=OPERATION_S, pause=pause)


class Pool(Identity):
    kind = "identity pool"
    name = POOL
    why = "who comes from GitHub"

    def __init__(self, project: str) -> None:
        path = f"projects/{project}/locations/global/workloadIdentityPools/{POOL}"
        super().__init__(path, "workloadIdentityPool")

    def body(self) -> Json:
        return {"displayName": "Esteira", "description": marked("Workflows that deploy")}


class Provider(Identity):
    """Lets in only what GitHub has signed for workflows that the settings name; `conditions` are those of each."""

    kind = "identity provider"
    name = f"{POOL}/{PROVIDER}"
    why = "checks GitHub's token, and that it is for this repository"

    def __init__(self, project: str, conditions: Sequence[str]) -> None:
        path = f"projects/{project}/locations/global/workloadIdentityPools/{POOL}/providers/{PROVIDER}"
        super().__init__(path, "workloadIdentityPoolProvider")
        self._conditions = sorted(set(conditions))

    def body(self) -> Json:
        return {
            "displayName": "GitHub",
            "description": marked("GitHub Actions"),
            "attributeMapping": MAPPING,
            "attributeCondition": " || ".join(self._conditions),
            "oidc": {"issuerUri": ISSUER},
        }


def let_in(place: Environment) -> str:
    """Return which workflows an environment lets in, in the Common Expression Language.

    A name that its owner gives up is free for anybody to register; the owner's number is not. All claims are texts.
    """
    claims = {"repository": place.github, "repository_owner_id": place.github_owner_id, "ref": place.github_ref}
    return " && ".join(f"assertion.{name} == '{value}'" for name, value in claims.items() if value)


def principals(number: str, repository: str = "") -> str:
    """Return the members of the pool: a repository's workflows; without one what all of them begin with."""
    pool = f"principalSet://iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{POOL}/"
    return f"{pool}attribute.repository/{repository}" if repository else pool


def provider_name(number: str) -> str:
    """Return the provider's name, as google-github-actions/auth takes it."""
    return f"projects/{number}/locations/global/workloadIdentityPools/{POOL}/providers/{PROVIDER}"
