"""The service accounts that builds and runs act as, and the one that Vertex AI itself acts as.

https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts
"""

import time
from typing import List, Optional

from esteira.cloud.labels import is_marked, marked
from esteira.cloud.part import OPERATION_S, Difference, Part, Resource, gone, read_or_none
from esteira.cloud.row import Row
from esteira.google.api import Api, Json, Pause
from esteira.google.operations import wait_for_operation

PURPOSES = {
    "esteira-build": "builds of releases, and GitHub's workflows",
    "esteira-run": "the pipeline's runs and the models that it serves",
}


class Account(Resource):
    """A service account. One that the settings name is never made or changed; it has to be there."""

    service = "iam"
    kind = "service account"

    def __init__(self, email: str, project: str, *, named_by: str = "") -> None:
        self.name = email
        self._id = email.partition("@")[0]
        # An account may live in another project: "-" stands for any.
        self.path = f"projects/{'-' if named_by else project}/serviceAccounts/{email}"
        self._project = project
        self._named_by = named_by
        self.why = PURPOSES.get(self._id, "named by the settings")

    def body(self) -> Json:
        return {"displayName": f"Esteira: {self._id.rpartition('-')[2]}", "description": marked(self.why.capitalize())}

    def read(self, api: Api) -> Optional[Json]:
        return read_or_none(api, f"read service account {self.name}", "iam", f"v1/{self.path}")

    def is_ours(self, found: Json) -> bool:
        return not self._named_by and is_marked(found)

    def row(self, found: Optional[Json]) -> Row:
        row = super().row(found)
        if row.state != "missing" or not self._named_by:
            return row
        remedy = f"{self._named_by} names it. Make it, or take that line out of esteira.toml, and Esteira makes its own"
        return Row(row.state, row.kind, row.name, row.detail, row.why, remedy)

    def differences(self, found: Json) -> List[Difference]:
        if not found.get("disabled"):
            return []
        return [Difference("disabled", True, False, f"Run: gcloud iam service-accounts enable {self.name}")]

    def make(self, api: Api, pause: Pause = time.sleep) -> None:
        if not self._named_by:
            super().make(api, pause)

    def create(self, api: Api, pause: Pause) -> None:
        body = {"accountId": self._id, "serviceAccount": self.body()}
        what, path = f"create service account {self.name}", f"v1/projects/{self._project}/serviceAccounts"
        api.call(what, "iam", "POST", path, body=body, find=lambda: self.read(api))

    def update(self, api: Api, found: Json) -> None:
        """There is nothing that could differ and be changed."""

    def delete(self, api: Api, pause: Pause) -> None:
        gone(api, f"delete service account {self.name}", "iam", f"v1/{self.path}")


class VertexAgent(Part):
    """The account that Vertex AI reads images with: Google's own, which is there once it is asked for.

    https://cloud.google.com/iam/docs/service-agents
    https://cloud.google.com/service-usage/docs/reference/rest/v1beta1/services/generateServiceIdentity
    """

    service = "aiplatform"

    def __init__(self, number: str) -> None:
        self.email = agent_email(number)

    def look(self, api: Api) -> List[Row]:
        """Return nothing: Google tells nobody whether it is there. That it may read images is a row of its own."""
        return []

    def absent(self) -> List[Row]:
        return []

    def make(self, api: Api, pause: Pause = time.sleep) -> None:
        what = "create the service agent of Vertex AI"
        path = f"v1beta1/projects/{api.project}/services/aiplatform.googleapis.com:generateServiceIdentity"
        operation = api.call(what, "serviceusage", "POST", path, repeat=True)
        wait_for_operation(api, what, "serviceusage", operation, timeout_s=OPERATION_S, pause=pause)

    def names_to_remove(self, api: Api) -> List[str]:
        return []

    def remove(self, api: Api, pause: Pause = time.sleep) -> None:
        """Leave it: it is Google's."""


def agent_email(number: str) -> str:
    return f"service-{number}@gcp-sa-aiplatform.iam.gserviceaccount.com"
