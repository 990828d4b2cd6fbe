"""Rows that come into and out of the stand-in of BigQuery without a job.

https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata
"""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Set, Tuple

from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, Handler
from esteira.local.cloud.warehouse.pages import page_of, wants_exact
from esteira.local.cloud.warehouse.rows import RowError, checked_row
from esteira.local.cloud.warehouse.tables import Warehouse
from esteira.local.cloud.warehouse.values import Json, wire_row


@dataclass
class TableData:
    """Rows that were streamed; one whose insertId came before is left out."""

    warehouse: Warehouse
    _seen: Set[Tuple[str, str]] = field(default_factory=set)

    def handlers(self) -> Dict[str, Handler]:
        return {"bigquery.tabledata.insertAll": self.insert_all, "bigquery.tabledata.list": self.list}

    def insert_all(self, call: Call) -> Json:
        """Write rows, or none if one of them is wrong, unless skipInvalidRows is asked for."""
        name, columns = self.table(call)
        given = call.body.get("rows", [])
        errors: List[Json] = []
        for number, entry in enumerate(given):
            try:
                checked_row(columns, entry.get("json", {}), number)
            except RowError as error:
                told = {"reason": "invalid", "location": error.column, "message": str(error)}
                errors.append({"index": number, "errors": [told]})
        wrong = {error["index"] for error in errors}
        if wrong and not call.body.get("skipInvalidRows"):
            stopped = [number for number in range(len(given)) if number not in wrong]
            errors += [{"index": number, "errors": [{"reason": "stopped"}]} for number in stopped]
            return {"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": errors}
        with self.warehouse.lock:
            right = [entry for number, entry in enumerate(given) if number not in wrong]
            self.warehouse.buffer.append(name, [entry["json"] for entry in right if self.is_new(name, entry)])
        return {"kind": "bigquery#tableDataInsertAllResponse", **({"insertErrors": errors} if errors else {})}

    def is_new(self, name: str, entry: Json) -> bool:
        key = (name, entry.get("insertId", ""))
        if key[1] and key in self._seen:
            return False
        self._seen.add(key)
        return True

    def list(self, call: Call) -> Json:
        name, columns = self.table(call)
        rows: List[Any] = self.warehouse.rows.read(name).rows
        start, end, token = page_of(len(rows), call.parameters)
        exact = wants_exact(call.parameters)
        told = {"totalRows": str(len(rows)), "rows": [wire_row(columns, row, exact) for row in rows[start:end]]}
        return {"kind": "bigquery#tableDataList", **told, **({"pageToken": token} if token else {})}

    def table(self, call: Call) -> Tuple[str, List[Json]]:
        """Return a table's name, and its columns. Refused if there is none, or it is a view."""
        found = self.warehouse.find(call, "Table")
        name = f"{call.parameters['datasetId']}.{call.parameters['tableId']}"
        if found["type"] == "VIEW":
            raise Refused(400, f"Cannot read or write rows of a table of type VIEW: {self.warehouse.project}:{name}")
        return name, (found.get("schema") or {}).get("fields", [])
