"""The table of requests and responses, as Vertex AI writes it.

https://cloud.google.com/vertex-ai/docs/predictions/online-prediction-logging
"""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional

from esteira.cloud.labels import is_labelled
from esteira.cloud.part import Difference, Resource, compare, gone, read_or_none
from esteira.google.api import Api, Json, Pause

REQUEST_LOG = "request_log"
SCHEMA = "sql/request_log.json"
DAY_MS = 24 * 60 * 60 * 1000


class RequestLog(Resource):
    """One partition a day, which expires; clustered by what a question about a model asks for."""

    service = "bigquery"
    kind = "table"
    why = "requests and responses, as the endpoint logs them"

    def __init__(self, dataset: str, project: str, labels: Dict[str, str], root: Path, expiry_days: int) -> None:
        self.name = f"{dataset}.{REQUEST_LOG}"
        self._project = project
        self._dataset = dataset
        self._labels = labels
        self._expiry_days = expiry_days
        self._schema: List[Dict[str, Any]] = json.loads((root / SCHEMA).read_text(encoding="utf-8"))

    @property
    def path(self) -> str:
        return f"projects/{self._project}/datasets/{self._dataset}/tables/{REQUEST_LOG}"

    def body(self) -> Json:
        expiry = {"type": "DAY", "field": "logging_time", "expirationMs": str(self._expiry_days * DAY_MS)}
        return {
            "timePartitioning": expiry,
            "clustering": {"fields": ["endpoint", "deployed_model_id"]},
            "labels": self._labels,
        }

    def read(self, api: Api) -> Optional[Json]:
        return read_or_none(api, f"read table {self.name}", "bigquery", self.path)

    def is_ours(self, found: Json) -> bool:
        return is_labelled(found)

    def differences(self, found: Json) -> List[Difference]:
        """Return what differs; columns that Vertex AI has added are welcome."""
        columns = {column["name"]: column for column in (found.get("schema") or {}).get("fields", [])}
        differences: List[Difference] = []
        for column in self._schema:
            there = columns.get(column["name"])
            if there is None:
                differences.append(Difference(f"column {column['name']}", None, kind_of(column)))
            elif kind_of(there) != kind_of(column):
                fixed = f"A column's type cannot be changed. Copy the table and remove it: bq rm -t {self.name}"
                differences.append(Difference(f"column {column['name']}", kind_of(there), kind_of(column), fixed))
        return differences + self.partition_differences(found) + compare(found, self.body())

    def partition_differences(self, found: Json) -> List[Difference]:
        """Return that the table is not partitioned by day, which no table can be made afterwards."""
        wanted, there = self.body()["timePartitioning"], found.get("timePartitioning") or {}
        if all(there.get(key) == wanted[key] for key in ("type", "field")):
            return []
        fixed = f"Partitions cannot be changed. Copy the table and remove it: bq rm -t {self.name}"
        is_now = " by ".join(there[key] for key in ("type", "field") if key in there)
        return [Difference("partitions", is_now, "DAY by logging_time", fixed)]

    def create(self, api: Api, pause: Pause) -> None:
        reference = {"projectId": self._project, "datasetId": self._dataset, "tableId": REQUEST_LOG}
        body = {**self.body(), "tableReference": reference, "schema": {"fields": self._schema}}
        what, path = f"create table {self.name}", self.path.rpartition("/")[0]
        api.call(what, "bigquery", "POST", path, body=body, find=lambda: self.read(api))

    def update(self, api: Api, found: Json) -> None:
        there = (found.get("schema") or {}).get("fields", [])
        names = {column["name"] for column in there}
        columns = [*there, *(column for column in self._schema if column["name"] not in names)]
        labels = {**(found.get("labels") or {}), **self._labels}
        body = {**self.body(), "labels": labels, "schema": {"fields": columns}}
        api.call(f"change table {self.name}", "bigquery", "PATCH", self.path, body=body, repeat=True)

    def delete(self, api: Api, pause: Pause) -> None:
        gone(api, f"delete table {self.name}", "bigquery", self.path)


def kind_of(column: Dict[str, Any]) -> str:
    return f"{column.get('type')} {column.get('mode', 'NULLABLE')}"
