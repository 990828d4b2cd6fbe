"""Loads of the stand-in of BigQuery: lines of JSON that come with their job.

https://cloud.google.com/bigquery/docs/batch-loading-data
"""

import json
from email.parser import BytesParser
from typing import Any, List, Tuple

from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call
from esteira.local.cloud.warehouse.rows import RowError
from esteira.local.cloud.warehouse.tables import Warehouse
from esteira.local.cloud.warehouse.values import Json

READING = "Error while reading data, error message: "


def read_upload(call: Call) -> Tuple[Json, bytes]:
    """Return a job, and what it loads. https://cloud.google.com/bigquery/docs/reference/api-uploads#multipart"""
    if call.parameters.get("uploadType") != "multipart":
        raise Refused(501, "the stand-in takes loads by uploadType=multipart")
    head = f"Content-Type: {call.headers.get('Content-Type', '')}\r\n\r\n".encode("ascii")
    parts: Any = BytesParser().parsebytes(head + call.content).get_payload()
    if not isinstance(parts, list) or len(parts) != 2:
        raise Refused(400, "Expected a job and its content in a multipart/related body.")
    body, content = (bytes(part.get_payload(decode=True)) for part in parts)
    return json.loads(body), content


def load(warehouse: Warehouse, job: Json, content: bytes) -> None:
    """Append lines of JSON to a table, all or none. Raises RowError for a wrong one."""
    asked = job["configuration"]["load"]
    if asked.get("sourceFormat") != "NEWLINE_DELIMITED_JSON":
        raise Refused(501, f"the stand-in loads NEWLINE_DELIMITED_JSON, not {asked.get('sourceFormat')}")
    if asked.get("writeDisposition", "WRITE_APPEND") != "WRITE_APPEND":
        raise Refused(501, "the stand-in appends what it loads: writeDisposition")
    target = asked["destinationTable"]
    name = f"{target['datasetId']}.{target['tableId']}"
    make_table(warehouse, name, asked)
    rows = []
    for number, line in enumerate(filter(None, content.decode("utf-8").split("\n"))):
        try:
            rows.append(json.loads(line))
        except ValueError:
            raise RowError(number, f"Parser terminated before end of string: {line[:60]}", "") from None
    warehouse.rows.append(name, rows)
    job["statistics"]["load"] = {"outputRows": str(len(rows)), "badRecords": "0"}


def make_table(warehouse: Warehouse, name: str, asked: Json) -> None:
    """Make the table that a load needs, where it is not there and the load may. Refused if it may not, or cannot."""
    if name in warehouse.tables:
        return
    dataset = name.partition(".")[0]
    if dataset not in warehouse.datasets:
        raise Refused(404, f"Not found: Dataset {warehouse.project}:{dataset}", reason="notFound")
    if asked.get("createDisposition", "CREATE_IF_NEEDED") == "CREATE_NEVER":
        raise Refused(404, f"Not found: Table {warehouse.project}:{name}", reason="notFound")
    if not asked.get("schema"):
        raise Refused(400, "No schema specified on job or table.", reason="invalid")
    warehouse.put_table(name, {"schema": asked["schema"]})


def row_errors(error: RowError) -> List[Json]:
    """Return what a load tells of the first row that it cannot read."""
    first = f"{READING}JSON table encountered too many errors, giving up. Rows: {error.number + 1}; errors: 1. "
    said = f"{READING}JSON processing encountered an error at row {error.number + 1}: {error}"
    more = "Please look into the errors[] collection for more details."
    return [{"reason": "invalid", "message": first + more}, {"reason": "invalid", "message": said}]
