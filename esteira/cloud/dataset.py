"""The BigQuery dataset that what is asked of the model is logged in.

https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets
"""

from typing import Dict, List, Optional

from esteira.cloud.doors import DATASET_ASKED
from esteira.cloud.labels import is_labelled
from esteira.cloud.part import Difference, Resource, compare, gone, read_or_none
from esteira.google.api import Api, Json, Pause


class Dataset(Resource):
    service = "bigquery"
    kind = "dataset"
    why = "the request log, and what is read from it"

    def __init__(self, name: str, project: str, region: str, labels: Dict[str, str], environment: str) -> None:
        self.name = name
        self.path = f"projects/{project}/datasets/{name}"
        self._project = project
        self._region = region
        self._labels = labels
        self._environment = environment

    def read(self, api: Api) -> Optional[Json]:
        return read_or_none(api, f"read dataset {self.name}", "bigquery", self.path)

    def is_ours(self, found: Json) -> bool:
        return is_labelled(found)

    def differences(self, found: Json) -> List[Difference]:
        location = found.get("location", "").lower()
        name = f"environments.{self._environment}.dataset"
        remedy = f"A dataset cannot be moved. Name another one in esteira.toml, {name}"
        wrong = [Difference("location", location, self._region, remedy)] if location != self._region else []
        return wrong + compare(found, {"labels": self._labels})

    def create(self, api: Api, pause: Pause) -> None:
        reference = {"projectId": self._project, "datasetId": self.name}
        body = {"datasetReference": reference, "location": self._region, "labels": self._labels}
        what, path = f"create dataset {self.name}", f"projects/{self._project}/datasets"
        api.call(what, "bigquery", "POST", path, body=body, find=lambda: self.read(api))

    def update(self, api: Api, found: Json) -> None:
        body = {"labels": {**(found.get("labels") or {}), **self._labels}}
        what = f"change dataset {self.name}"
        # A dataset with conditions is refused to whoever does not say that he knows of them.
        api.call(what, "bigquery", "PATCH", self.path, body=body, query=DATASET_ASKED, repeat=True)

    def contents(self, api: Api) -> str:
        """Return how many rows its tables hold, those that BigQuery has not stored yet included."""
        tables = list(api.pages(f"list dataset {self.name}", "bigquery", f"{self.path}/tables", "tables"))
        names = sorted(table["tableReference"]["tableId"] for table in tables)
        rows = {name: self.rows(api, name) for name in names}
        said = [f"{name} with {count:,} rows" for name, count in rows.items() if count]
        return f"dataset {self.name}: {', '.join(said)}" if said else ""

    def rows(self, api: Api, name: str) -> int:
        table = read_or_none(api, f"read table {name}", "bigquery", f"{self.path}/tables/{name}") or {}
        waiting = (table.get("streamingBuffer") or {}).get("estimatedRows")
        return int(table.get("numRows") or 0) + int(waiting or 0)

    def delete(self, api: Api, pause: Pause) -> None:
        """Remove the dataset with its tables."""
        gone(api, f"delete dataset {self.name}", "bigquery", self.path, {"deleteContents": True})
