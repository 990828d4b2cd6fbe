"""Rows streamed into a table of BigQuery, where they can be asked for at once.

https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery
"""

from typing import Any, Dict, Iterator, List, Sequence, Tuple

from esteira.google.api import Api, Json
from esteira.monitoring.bigquery.jobs import SERVICE
from esteira.monitoring.bigquery.payload_rows import encode

# A request may have 10 MB and should have 500 rows at most. https://cloud.google.com/bigquery/quotas#streaming_inserts
BATCH_BYTES = 5_000_000
BATCH_ROWS = 500
# A row may have 10 MB in a request of 10 MB.
ROW_BYTES = 9_000_000

# A row, and the id under which a second insertion of it is left out, as far as BigQuery remembers.
Identified = Tuple[str, Dict[str, Any]]


class Streamed:
    """A table that is named project.dataset.table."""

    def __init__(self, api: Api, table: str) -> None:
        project, dataset, name = table.split(".")
        self._api = api
        self._what = f"write into {table}"
        self._path = f"projects/{project}/datasets/{dataset}/tables/{name}/insertAll"

    def insert(self, rows: Sequence[Identified]) -> List[str]:
        """Write rows, and return for each that was not written what BigQuery has against it. Raises GoogleError."""
        told: List[str] = []
        for batch in batches(rows):
            entries = [{"insertId": identity, "json": row} for identity, row in batch]
            body: Json = {"rows": entries, "skipInvalidRows": True}
            answer = self._api.call(self._what, SERVICE, "POST", self._path, body=body, repeat=True)
            told += [told_errors(batch, entry) for entry in answer.get("insertErrors", [])]
        return told


def batches(rows: Sequence[Identified]) -> Iterator[List[Identified]]:
    """Yield rows in as many requests as their number and size ask for."""
    batch: List[Identified] = []
    size_bytes = 0
    for identified in rows:
        row_bytes = size_of(identified)
        if batch and (len(batch) == BATCH_ROWS or size_bytes + row_bytes > BATCH_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(identified)
        size_bytes += row_bytes
    if batch:
        yield batch


def size_of(identified: Identified) -> int:
    return len(encode(identified[1]).encode("utf-8", "surrogatepass"))


def told_errors(batch: Sequence[Identified], entry: Json) -> str:
    reasons = ", ".join(str(error.get("message") or error.get("reason")) for error in entry.get("errors", []))
    return f"request {batch[int(entry.get('index', 0))][0]}: {reasons}"
