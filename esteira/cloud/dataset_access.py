"""Who may use a dataset: BigQuery has a list of its own for that, in the dataset itself.

https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset (access)
"""

from typing import Any, Dict, List

from esteira.cloud.policy import Policy
from esteira.google.api import Api, Json

# The names that a dataset gives the roles of IAM.
LEGACY = {"roles/bigquery.dataViewer": "READER", "roles/bigquery.dataEditor": "WRITER"}
PREFIX = "serviceAccount:"


class DatasetAccess(Policy):
    """A dataset's list as a policy. Entries that are no account's role stay as they are."""

    def read(self, api: Api) -> Json:
        dataset = super().read(api)
        entries: List[Dict[str, Any]] = dataset.get("access", [])
        accounts = [entry for entry in entries if "userByEmail" in entry and "condition" not in entry]
        bindings = [
            {"role": LEGACY.get(entry["role"], entry["role"]), "members": [PREFIX + entry["userByEmail"]]}
            for entry in accounts
        ]
        others = [entry for entry in entries if entry not in accounts]
        return {"bindings": bindings, "others": others, "etag": dataset.get("etag", "")}

    def write(self, api: Api, policy: Json) -> None:
        accounts = [
            {"role": binding["role"], "userByEmail": member[len(PREFIX) :]}
            for binding in policy["bindings"]
            for member in binding["members"]
        ]
        what, path = f"change who may use {self.what}", self.door.write[1]
        body, headers = {"access": policy["others"] + accounts}, {"If-Match": policy["etag"]}
        query = self.door.query
        send = lambda: api.request("bigquery", "PATCH", path, body=body, query=query, headers=headers)  # noqa: E731
        api.read(what, api.repeated(what, send, True))
