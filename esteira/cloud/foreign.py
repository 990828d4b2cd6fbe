"""Who may use what lies in another project, such as a mirror: its owner's business, and at most looked at."""

import time
from typing import List

from esteira.cloud.grant import Grant, give_command
from esteira.cloud.policy import Policy
from esteira.cloud.row import Row
from esteira.errors import GoogleError
from esteira.google.api import Api, Pause


class ForeignPolicy(Policy):
    """A policy that is never changed, and that one may perhaps not read."""

    def look(self, api: Api) -> List[Row]:
        try:
            rows = super().look(api)
        except GoogleError as error:
            if error.status != 403 or error.reason == "SERVICE_DISABLED":
                raise
            return [self.unseen(grant, api.project) for grant in self.grants]
        return [row for row in rows if row.state != "superfluous"]

    def unseen(self, grant: Grant, project: str) -> Row:
        said = f"not checked, as you may not see who has it. {self.left_to(grant, project)}"
        return Row("ok", "role", grant.name, said, grant.why)

    def left_to(self, grant: Grant, project: str) -> str:
        return f"An owner of that project gives it: {give_command(grant, project, self._location)}"

    def make(self, api: Api, pause: Pause = time.sleep) -> None:
        """Leave it to its owner."""

    def names_to_remove(self, api: Api) -> List[str]:
        return []

    def remove(self, api: Api, pause: Pause = time.sleep) -> None:
        """Leave it to its owner."""
