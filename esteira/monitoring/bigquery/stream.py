"""Rows streamed into a table of BigQuery, where they can be asked for at once.

https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery
"""

import json
from typing import Any, Dict, List, NamedTuple, Sequence, Set, Tuple

from esteira.google.api import Api, Json
from esteira.monitoring.bigquery.jobs import SERVICE

# A request may have 10 MB and should have 500 rows at most. https://cloud.google.com/bigquery/quotas#streaming_inserts
BATCH_BYTES = 5_000_000
BATCH_ROWS = 500
# A row may have 10 MB in a request of 10 MB.
ROW_BYTES = 9_000_000
# What BigQuery has against a row that it never takes; all else is passing.
# https://cloud.google.com/bigquery/docs/error-messages
INVALID = "invalid"

# A row, and the id under which a second insertion of it is left out, as far as BigQuery remembers.
Identified = Tuple[str, Dict[str, Any]]


class Answer(NamedTuple):
    """What BigQuery has against rows: `refused` tells of those that it never takes, `again` are to be sent again.

    `why` tells the reasons of the latter. No text of a row is in what is told.
    """

    refused: List[str]
    again: List[Identified]
    why: str


class Streamed:
    """A table that is named project.dataset.table."""

    def __init__(self, api: Api, table: str) -> None:
        project, dataset, name = table.split(".")
        self._api = api
        self._what = f"write into {table}"
        self._path = f"projects/{project}/datasets/{dataset}/tables/{name}/insertAll"

    def insert(self, rows: Sequence[Identified]) -> Answer:
        """Write rows in one request; those that the answer does not name are written. Raises GoogleError."""
        body: Json = {"rows": [entry_of(row) for row in rows], "skipInvalidRows": True}
        answer = self._api.call(self._what, SERVICE, "POST", self._path, body=body, repeat=True)
        return read_answer(rows, answer)


def read_answer(rows: Sequence[Identified], answer: Json) -> Answer:
    refused: List[str] = []
    again: List[Identified] = []
    why: Set[str] = set()
    for entry in answer.get("insertErrors", []):
        row, errors = rows[int(entry.get("index", 0))], entry.get("errors", [])
        if any(error.get("reason") == INVALID for error in errors):
            refused.append(f"request {row[0]}: {', '.join(map(told_error, errors))}")
        else:
            again.append(row)
            why.update(map(told_error, errors))
    return Answer(refused, again, ", ".join(sorted(why)))


def told_error(error: Json) -> str:
    """Return the reason and the column; the message may have the value."""
    return " ".join(filter(None, [str(error.get("reason") or "refused"), str(error.get("location") or "")]))


def entry_of(identified: Identified) -> Json:
    return {"insertId": identified[0], "json": identified[1]}


def size_of(identified: Identified) -> int:
    """Return the bytes that a row has in a request: as Api writes it, where a letter beyond ASCII has six or more."""
    return len(json.dumps(entry_of(identified))) + len(", ")
