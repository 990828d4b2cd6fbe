"""Erasing requests by their ids: their rows, what was told of them, and on one machine every byte of both."""

from dataclasses import dataclass, field
from typing import List, Sequence, Set

from esteira.errors import WarehouseError
from esteira.monitoring.engine import Engine, RecentRowsError, Row
from esteira.monitoring.journal.segments import blank, list_segments, opened_segment
from esteira.monitoring.row_values import NUMERIC_DIGITS
from esteira.monitoring.views import render
from esteira.monitoring.warehouse.database import Warehouse
from esteira.monitoring.warehouse.folder import writable

# Ids of one query: a request of BigQuery's has 10 MB at most.
AT_ONCE = 5_000
SHOWN = 10
MAX_ID = 10**NUMERIC_DIGITS - 1


@dataclass(frozen=True)
class Erased:
    """Ids as they were given: `erased` had rows, `missing` had none, `waiting` are there until they can be deleted."""

    erased: List[int]
    missing: List[int]
    waiting: List[int] = field(default_factory=list)


def erase(engine: Engine, request_ids: Sequence[int]) -> Erased:
    """Delete these requests and what was told of them, and return which there were. Raises WarehouseError.

    What was streamed into BigQuery of late waits, and with it the others of AT_ONCE: one statement deletes them.
    In BigQuery deleted rows can still be seen by time travel for seven days, or as the dataset's owner has set it.
    https://cloud.google.com/bigquery/docs/time-travel
    """
    wanted = sorted({checked(request_id) for request_id in request_ids})
    found: Set[int] = set()
    waiting: List[int] = []
    for start in range(0, len(wanted), AT_ONCE):
        ids = wanted[start : start + AT_ONCE]
        try:
            found |= erase_some(engine, [str(request_id) for request_id in ids])
        except RecentRowsError:
            waiting += ids
    # Also for ids that had no rows: a deletion that was interrupted may have left their bytes.
    if isinstance(engine, Warehouse):
        erase_bytes(engine)
    missing = set(wanted) - found - set(waiting)
    return Erased(sorted(found), sorted(missing), waiting)


def erase_some(engine: Engine, ids: List[str]) -> Set[int]:
    """Delete requests and what was told of them, and return which there were. Raises WarehouseError if any is left."""
    found = set()
    for table, known, delete in (
        ("request_log", "times_of_requests", delete_requests),
        ("ground_truth", "known_ground_truth", delete_truths),
    ):
        there = rows_of(engine, table, known, ids)
        if there:
            delete(engine, there)
            refuse_left(table, rows_of(engine, table, known, ids))
        found |= {int(row["request_id"]) for row in there}
    return found


def rows_of(engine: Engine, table: str, known: str, ids: List[str]) -> List[Row]:
    what = f"look for {len(ids)} requests in {table}"
    return engine.query(what, render(known, engine.dataset), {"request_ids": ids})


def delete_requests(engine: Engine, there: List[Row]) -> None:
    what, ids = f"erase {len(there)} requests from request_log", ids_in(there)
    times = [row[end] for row in there for end in ("first_time", "last_time") if row[end] is not None]
    if times:
        bounds = {"first_time": min(times).isoformat(), "last_time": max(times).isoformat()}
        engine.query(what, render("erase_requests", engine.dataset), {"request_ids": ids, **bounds})
    if any(row["timeless"] for row in there):
        engine.query(what, render("erase_timeless", engine.dataset), {"request_ids": ids})


def delete_truths(engine: Engine, there: List[Row]) -> None:
    what = f"erase {len(there)} requests from ground_truth"
    engine.query(what, render("erase_ground_truth", engine.dataset), {"request_ids": ids_in(there)})


def ids_in(rows: List[Row]) -> List[str]:
    return [str(int(row["request_id"])) for row in rows]


def refuse_left(table: str, left: List[Row]) -> None:
    if left:
        shown = ",".join(ids_in(left)[:SHOWN])
        raise WarehouseError(
            f"{len(left)} requests are in {table} still, though they were deleted: {shown}\n"
            f"Expected none. Run: make erase REQUEST={shown}"
        )


def erase_bytes(warehouse: Warehouse) -> None:
    """Write the database anew, and blank what of the journal is loaded already. Raises WarehouseError."""
    warehouse.rewrite()
    rows = warehouse.run("see what of the journal is loaded", "SELECT name, loaded_bytes FROM journal.segments")
    loaded = {row["name"]: row["loaded_bytes"] for row in rows}
    for path in list_segments(warehouse.place.journal):
        with writable(path), opened_segment(path) as segment:
            blank(segment, loaded.get(path.name, 0))


def checked(request_id: int) -> int:
    if 0 <= request_id <= MAX_ID:
        return request_id
    raise WarehouseError(
        f"{request_id}: is no request's id. Expected the number in the header x-request-id of an answer, "
        "or in the column request_id. See: make requests"
    )
