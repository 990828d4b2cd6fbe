"""BigQuery's stand-in: datasets and tables; their rows are those of rows.py.

https://cloud.google.com/bigquery/docs/reference/rest
"""

import copy
import hashlib
import threading
from dataclasses import dataclass, field
from typing import Any, Dict, List

from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, Handler
from esteira.local.cloud.storage import merge
from esteira.local.cloud.warehouse.rows import Rows
from esteira.local.cloud.warehouse.stream_buffer import StreamBuffer

Json = Dict[str, Any]
# https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset has the names that roles are kept by.
LEGACY = {
    "roles/bigquery.dataViewer": "READER",
    "roles/bigquery.dataEditor": "WRITER",
    "roles/bigquery.dataOwner": "OWNER",
}
ROLES = {short: role for role, short in LEGACY.items()}
# The one version of an access policy that has conditions.
# https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets/get#query-parameters
WITH_CONDITIONS = 3
BEGINNING = [
    {"role": "WRITER", "specialGroup": "projectWriters"},
    {"role": "OWNER", "specialGroup": "projectOwners"},
    {"role": "READER", "specialGroup": "projectReaders"},
]


@dataclass
class Warehouse:
    """The datasets by name, the tables by dataset.name."""

    project: str
    datasets: Dict[str, Json] = field(default_factory=dict)
    tables: Dict[str, Json] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.rows = Rows(self.project, self.tables, self.lock)
        self.buffer = StreamBuffer(self.rows)

    def find(self, call: Call, kind: str) -> Json:
        dataset = call.parameters["datasetId"]
        name = dataset if kind == "Dataset" else f"{dataset}.{call.parameters['tableId']}"
        kept = self.datasets if kind == "Dataset" else self.tables
        if name not in kept:
            raise Refused(404, f"Not found: {kind} {self.project}:{name}")
        expected = call.headers.get("If-Match")
        if expected not in (None, kept[name]["etag"]):
            raise Refused(412, "Precondition check failed.")
        return kept[name]

    def put_dataset(self, name: str, location: str = "europe-west1", **fields: Any) -> Json:
        """Make a dataset, as a test finds it."""
        reference = {"projectId": self.project, "datasetId": name}
        made = {"id": f"{self.project}:{name}", "etag": "1", "datasetReference": reference, "location": location}
        self.datasets[name] = {"access": copy.deepcopy(BEGINNING), **fields, **made}
        return self.datasets[name]

    def get_dataset(self, call: Call) -> Json:
        """Return a dataset: conditions only to who asks for policies of version 3, mangled roles to others.

        https://cloud.google.com/iam/docs/troubleshooting-withcond
        """
        found = copy.deepcopy(self.find(call, "Dataset"))
        if policy_version(call) != WITH_CONDITIONS:
            for entry in found.get("access", []):
                condition = entry.pop("condition", None)
                if condition:
                    mark = hashlib.sha256(condition["expression"].encode("utf-8")).hexdigest()[:20]
                    entry["role"] = f"{ROLES.get(entry['role'], entry['role'])}_withcond_{mark}"
        return found

    def insert_dataset(self, call: Call) -> Json:
        name = call.body["datasetReference"]["datasetId"]
        refuse_old(call, call.body)
        with self.lock:
            if name in self.datasets:
                raise Refused(409, f"Already Exists: Dataset {self.project}:{name}")
            fields = {key: value for key, value in call.body.items() if key != "location"}
            return copy.deepcopy(self.put_dataset(name, call.body.get("location", "US"), **fields))

    def insert_table(self, call: Call) -> Json:
        self.find(call, "Dataset")
        name = f"{call.parameters['datasetId']}.{call.body['tableReference']['tableId']}"
        with self.lock:
            if name in self.tables:
                raise Refused(409, f"Already Exists: Table {self.project}:{name}")
            return copy.deepcopy(self.put_table(name, call.body))

    def put_table(self, name: str, body: Json) -> Json:
        """Make a table of dataset.name."""
        dataset, _, table = name.partition(".")
        reference = {"projectId": self.project, "datasetId": dataset, "tableId": table}
        made = {"id": f"{self.project}:{name}", "type": "TABLE", "etag": "1", "numRows": "0", "numBytes": "0"}
        self.tables[name] = {**made, "tableReference": reference, **copy.deepcopy(body)}
        return self.tables[name]

    def put_view(self, name: str, query: str, fields: List[Json]) -> None:
        """Make a view of dataset.name, in place of one that is there."""
        labels = self.tables.get(name, {}).get("labels")
        view = {"type": "VIEW", "view": {"query": query, "useLegacySql": False}, "schema": {"fields": fields}}
        self.put_table(name, {**view, **({"labels": labels} if labels else {})})

    def get_table(self, call: Call) -> Json:
        """Return a table, with how many rows it holds by now."""
        found = copy.deepcopy(self.find(call, "Table"))
        name = f"{call.parameters['datasetId']}.{call.parameters['tableId']}"
        counted = self.rows.count(name)
        told = {"numRows": str(counted[0]), "numBytes": str(counted[1])} if counted else {}
        return {**found, **told, **self.buffer.described(name)}

    def patch(self, call: Call, kind: str) -> Json:
        with self.lock:
            found = self.find(call, kind)
            refuse_old(call, found, call.body)
            merge(found, copy.deepcopy(call.body))
            for entry in found.get("access", []):
                if "role" in entry:
                    entry["role"] = LEGACY.get(entry["role"], entry["role"])
            found["etag"] = str(int(found["etag"]) + 1)
            return copy.deepcopy(found)

    def list_datasets(self, call: Call) -> Json:
        key, _, value = call.parameters.get("filter", "").partition("labels.")[2].partition(":")
        kept = [entry for entry in self.datasets.values() if not key or entry.get("labels", {}).get(key) == value]
        return {"datasets": [listed(entry, "id", "datasetReference", "labels", "location") for entry in kept]}

    def list_tables(self, call: Call) -> Json:
        beginning = f"{self.find(call, 'Dataset')['datasetReference']['datasetId']}."
        kept = [entry for name, entry in self.tables.items() if name.startswith(beginning)]
        fields = ("id", "tableReference", "type", "labels", "timePartitioning", "clustering")
        return {"tables": [listed(entry, *fields) for entry in kept]}

    def delete_dataset(self, call: Call) -> None:
        with self.lock:
            name = self.find(call, "Dataset")["datasetReference"]["datasetId"]
            inside = [table for table in self.tables if table.startswith(f"{name}.")]
            if inside and call.parameters.get("deleteContents") != "true":
                raise Refused(400, f"Dataset {self.project}:{name} is still in use", reason="resourceInUse")
            for table in inside:
                self.remove_table(table)
            del self.datasets[name]

    def delete_table(self, call: Call) -> None:
        self.find(call, "Table")
        self.remove_table(f"{call.parameters['datasetId']}.{call.parameters['tableId']}")

    def remove_table(self, name: str) -> None:
        self.buffer.forget(name)
        del self.tables[name]

    def handlers(self) -> Dict[str, Handler]:
        return {
            "bigquery.datasets.get": self.get_dataset,
            "bigquery.datasets.insert": self.insert_dataset,
            "bigquery.datasets.patch": lambda call: self.patch(call, "Dataset"),
            "bigquery.datasets.list": self.list_datasets,
            "bigquery.datasets.delete": self.delete_dataset,
            "bigquery.tables.get": self.get_table,
            "bigquery.tables.insert": self.insert_table,
            "bigquery.tables.patch": lambda call: self.patch(call, "Table"),
            "bigquery.tables.list": self.list_tables,
            "bigquery.tables.delete": self.delete_table,
        }


def policy_version(call: Call) -> int:
    """Return the version of the access policy that a request speaks of."""
    version = int(call.parameters.get("accessPolicyVersion", 0))
    if version not in (0, 1, WITH_CONDITIONS):
        raise Refused(400, f"Invalid value for accessPolicyVersion: {version}. Expected 0, 1 or 3.")
    return version


def refuse_old(call: Call, *bodies: Json) -> None:
    """Refuse a change of access with conditions, there or to come, that does not speak of version 3."""
    entries = [entry for body in bodies for entry in body.get("access", [])]
    mangled = [entry["role"] for entry in entries if "_withcond_" in entry.get("role", "")]
    if mangled:
        raise Refused(400, f"Role {mangled[0]} is not supported.")
    if policy_version(call) != WITH_CONDITIONS and any("condition" in entry for entry in entries):
        raise Refused(400, "Dataset access with conditions needs accessPolicyVersion 3.")


def listed(entry: Json, *fields: str) -> Json:
    """Return what a list tells of an entry."""
    return {name: copy.deepcopy(entry[name]) for name in fields if name in entry}
