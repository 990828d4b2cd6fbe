"""The Artifact Registry repository that images are pushed to.

https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories
"""

from typing import Dict, List, Optional

from esteira.cloud.labels import is_labelled
from esteira.cloud.part import OPERATION_S, Difference, Resource, compare, gone, read_or_none
from esteira.google.api import Api, Json, Pause
from esteira.google.operations import wait_for_operation


class Repository(Resource):
    """No cleanup policies: a release names its images by digest, so that any of them may be needed again."""

    service = "artifactregistry"
    kind = "repository"
    why = "the images that builds and runs are started from, by digest"

    def __init__(self, name: str, location: str, labels: Dict[str, str], environment: str) -> None:
        self.name = name
        self._location = location
        self._labels = labels
        self._environment = environment

    @property
    def path(self) -> str:
        return f"{self._location}/repositories/{self.name}"

    def body(self) -> Json:
        return {"labels": self._labels}

    def read(self, api: Api) -> Optional[Json]:
        return read_or_none(api, f"read repository {self.name}", "artifactregistry", f"v1/{self.path}")

    def is_ours(self, found: Json) -> bool:
        return is_labelled(found)

    def differences(self, found: Json) -> List[Difference]:
        name = f"environments.{self._environment}.repository"
        remedy = f"A repository's format cannot be changed. Name another one in esteira.toml, {name}"
        kind, policies = found.get("format"), found.get("cleanupPolicies")
        wrong = [Difference("format", kind, "DOCKER", remedy)] if kind != "DOCKER" else []
        if policies:
            wrong.append(Difference("cleanupPolicies", sorted(policies), None))
        return wrong + compare(found, self.body())

    def create(self, api: Api, pause: Pause) -> None:
        what, path = f"create repository {self.name}", f"v1/{self._location}/repositories"
        body = {**self.body(), "format": "DOCKER", "description": "Images of Esteira's builds and runs"}
        query = {"repositoryId": self.name}
        made = api.call(what, self.service, "POST", path, body=body, query=query, find=lambda: self.read(api))
        self.finish(api, what, made, pause)

    def update(self, api: Api, found: Json) -> None:
        labels = {**(found.get("labels") or {}), **self._labels}
        what, body = f"change repository {self.name}", {"labels": labels, "cleanupPolicies": {}}
        query = {"updateMask": "labels,cleanupPolicies"}
        api.call(what, self.service, "PATCH", f"v1/{self.path}", body=body, query=query, repeat=True)

    def contents(self, api: Api) -> str:
        size = int((self.read(api) or {}).get("sizeBytes") or 0)
        return f"repository {self.name}: images of {size / 1e9:,.1f} GB" if size else ""

    def delete(self, api: Api, pause: Pause) -> None:
        what = f"delete repository {self.name}"
        self.finish(api, what, gone(api, what, self.service, f"v1/{self.path}"), pause)

    def finish(self, api: Api, what: str, operation: Json, pause: Pause) -> None:
        """Wait for an operation; after a lost answer there is the repository itself in its place."""
        if "/operations/" in operation.get("name", ""):
            wait_for_operation(api, what, self.service, operation, timeout_s=OPERATION_S, pause=pause)
