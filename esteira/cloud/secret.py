"""The secrets that builds read. Their values are a person's business: they are looked for, never made.

https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets
"""

import time
from typing import List

from esteira.cloud.part import Part, read_or_none
from esteira.cloud.row import Row
from esteira.google.api import Api, Pause


class Secret(Part):
    service = "secretmanager"

    def __init__(self, name: str, project: str) -> None:
        self.name = name
        self._project = project

    def look(self, api: Api) -> List[Row]:
        found = read_or_none(api, f"read secret {self.name}", "secretmanager", f"v1/{self.path}")
        return self.absent() if found is None else [Row("ok", "secret", self.name, why=self.why)]

    @property
    def path(self) -> str:
        return f"projects/{self._project}/secrets/{self.name}"

    @property
    def why(self) -> str:
        return "named by build.secrets"

    def absent(self) -> List[Row]:
        remedy = f"Run: gcloud secrets create {self.name} --project={self._project} --data-file=FILE"
        return [Row("missing", "secret", self.name, why=self.why, remedy=remedy)]

    def make(self, api: Api, pause: Pause = time.sleep) -> None:
        """Leave it to a person."""

    def names_to_remove(self, api: Api) -> List[str]:
        return []

    def remove(self, api: Api, pause: Pause = time.sleep) -> None:
        """Leave it to a person."""
