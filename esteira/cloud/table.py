"""The tables of requests and responses, of what was deployed, and of what is true.

https://cloud.google.com/bigquery/docs/reference/rest/v2/tables
"""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional

from esteira.cloud.labels import is_labelled
from esteira.cloud.part import Difference, Resource, compare, gone, read_or_none
from esteira.google.api import Api, Json, Pause
from esteira.monitoring.forms import FORMS, schema_path

DAY_MS = 24 * 60 * 60 * 1000


class Table(Resource):
    """A table of the environment's dataset. Rows go `expiry_days` after their day; without, they stay."""

    service = "bigquery"
    kind = "table"

    def __init__(
        self, dataset: str, table: str, project: str, labels: Dict[str, str], root: Path, expiry_days: int = 0
    ) -> None:
        self.name = f"{dataset}.{table}"
        self.path = f"projects/{project}/datasets/{dataset}/tables/{table}"
        self.why = FORMS[table].why
        self._form = FORMS[table]
        self._reference = {"projectId": project, "datasetId": dataset, "tableId": table}
        self._labels = labels
        self._expiry_days = expiry_days
        self._schema: List[Dict[str, Any]] = json.loads((root / schema_path(table)).read_text(encoding="utf-8"))

    def body(self) -> Json:
        body: Json = {"labels": self._labels}
        if self._form.day:
            expiry = {"expirationMs": str(self._expiry_days * DAY_MS)} if self._expiry_days else {}
            body["timePartitioning"] = {"type": "DAY", "field": self._form.day, **expiry}
        if self._form.clustering:
            body["clustering"] = {"fields": list(self._form.clustering)}
        return body

    def read(self, api: Api) -> Optional[Json]:
        return read_or_none(api, f"read table {self.name}", "bigquery", self.path)

    def is_ours(self, found: Json) -> bool:
        return is_labelled(found)

    def differences(self, found: Json) -> List[Difference]:
        """Return what differs; columns that somebody has added are welcome."""
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
        wanted, there = self.body().get("timePartitioning"), found.get("timePartitioning") or {}
        if wanted is None or all(there.get(key) == wanted[key] for key in ("type", "field")):
            return []
        fixed = f"Partitions cannot be changed. Copy the table and remove it: bq rm -t {self.name}"
        is_now = " by ".join(there[key] for key in ("type", "field") if key in there)
        return [Difference("partitions", is_now, f"DAY by {wanted['field']}", fixed)]

    def create(self, api: Api, pause: Pause) -> None:
        body = {**self.body(), "tableReference": self._reference, "schema": {"fields": self._schema}}
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
