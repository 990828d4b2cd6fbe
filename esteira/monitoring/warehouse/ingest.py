"""Loading the journal into the request log, each request exactly once.

The rows of a batch and how far its segment is loaded are one transaction. A segment whose writer is gone is removed
once all of it is loaded. What is damaged in one, after a power cut, is told and left out.
"""

import json
import os
import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Set

from esteira.monitoring.journal.frames import (
    Damage,
    Described,
    Frames,
    describe,
    read_description,
    read_frames,
)
from esteira.monitoring.journal.segments import (
    Segment,
    list_segments,
    opened_segment,
    remove_beginnings,
    remove_segments,
)
from esteira.monitoring.warehouse.batch import arrow_table, insert_models, insert_requests
from esteira.monitoring.warehouse.database import Warehouse
from esteira.monitoring.warehouse.folder import writable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# How much of a segment is read at once, how many records of it, and about how many go into one transaction.
PART_BYTES = 32 * 1024 * 1024
PART_RECORDS = 65_536
TRANSACTION_RECORDS = 250_000

Models = Dict[int, Described]


class Progress(NamedTuple):
    """How far a segment is loaded, and the models that it has described by there."""

    loaded_bytes: int
    models: Models


class Part(NamedTuple):
    """What comes next of a segment: `number` requests as a table of Arrow; `is_last` if nothing will ever follow."""

    path: Path
    number: int
    requests: Any
    new_models: Models
    damaged: List[Damage]
    progress: Progress
    is_last: bool


def ingest(warehouse: Warehouse, limit: Optional[int] = None) -> int:
    """Load what the journal holds, oldest first, and return how many requests that were.

    With a `limit` it stops when it has loaded so many, or a little more. Raises WarehouseError.
    """
    loaded = 0
    journal = warehouse.place.journal
    with writable(journal):
        remove_beginnings(journal)
        paths = list_segments(journal)
        known = read_progress(warehouse)
        # The next part is read while DuckDB loads one.
        with ThreadPoolExecutor(1) as reader:
            parts = read_ahead(reader, read_parts(paths, known))
            stored = [] if limit == 0 else store_some(warehouse, parts, limit)
            while stored:
                loaded += sum(part.number for part in stored)
                remove_segments(journal, [part.path for part in stored if part.is_last])
                done = limit is not None and loaded >= limit
                stored = [] if done else store_some(warehouse, parts, limit)
        forget(warehouse, set(known) - {path.name for path in paths})
    expire(warehouse)
    return loaded


def read_ahead(reader: Executor, parts: Iterator[Part]) -> Iterator[Part]:
    coming = reader.submit(next, parts, None)
    while True:
        part = coming.result()
        if part is None:
            return
        coming = reader.submit(next, parts, None)
        yield part


def store_some(warehouse: Warehouse, parts: Iterator[Part], limit: Optional[int]) -> List[Part]:
    """Load the next parts in one transaction, and return them without what they held; none if there are none."""
    stored: List[Part] = []
    loaded = 0
    with warehouse.transaction("load the journal") as connection:
        for part in parts:
            store(connection, part)
            tell(part)
            loaded += part.number
            stored.append(part._replace(requests=None))
            if loaded >= min(TRANSACTION_RECORDS, limit or TRANSACTION_RECORDS):
                break
    return stored


def read_progress(warehouse: Warehouse) -> Dict[str, Progress]:
    rows = warehouse.run("see what of the journal is loaded", "SELECT name, loaded_bytes, models FROM journal.segments")
    return {row["name"]: Progress(row["loaded_bytes"], read_models(row["models"])) for row in rows}


def read_models(text: str) -> Models:
    return {
        int(number): Described(read_description(json.dumps(fields).encode()), time_ns)
        for number, (time_ns, fields) in json.loads(text).items()
    }


def write_models(models: Models) -> str:
    return json.dumps({number: [one.time_ns, json.loads(describe(one.deployed))] for number, one in models.items()})


def read_parts(paths: List[Path], known: Mapping[str, Progress]) -> Iterator[Part]:
    """Yield what is new in each segment, and a last part of each whose writer is gone, even if it is empty."""
    for path in paths:
        with opened_segment(path) as segment:
            yield from read_segment(segment, known.get(path.name, Progress(0, {})))


def read_segment(segment: Segment, progress: Progress) -> Iterator[Part]:
    position, models = progress
    # Once: what a living writer adds meanwhile is for the next time.
    size = os.fstat(segment.handle).st_size
    while True:
        frames = read_part(segment, position, size)
        if not frames.end and not segment.is_live and position < size:
            frames = Frames(damaged=[Damage(0, size - position)], end=size - position)
        is_last = not segment.is_live and position + frames.end >= size
        if not frames.end and not is_last:
            return
        models = {**models, **frames.models}
        damaged = [Damage(position + one.position, one.size_bytes) for one in frames.damaged]
        position += frames.end
        number, progress = len(frames.records), Progress(position, models)
        requests = arrow_table(frames.records, models) if number else None
        yield Part(segment.path, number, requests, frames.models, damaged, progress, is_last)
        if is_last:
            return


def read_part(segment: Segment, position: int, size: int) -> Frames:
    """Return the next frames of a segment; more is read at once where one frame is longer than usual."""
    length = min(PART_BYTES, size - position)
    while True:
        frames = read_frames(read_bytes(segment.handle, length, position), limit=PART_RECORDS)
        rest = size - position
        if frames.end or length >= rest:
            return frames
        # A frame that says it is longer than what there is, or damage with nothing whole after it so far.
        length = min(rest, frames.needed if length < frames.needed <= rest else length * 2)


def read_bytes(handle: int, length: int, position: int) -> bytes:
    """Return so many bytes of a file; a single read gives no more than 2 GB."""
    content = os.pread(handle, length, position)
    if len(content) == length or not content:
        return content
    parts = [content]
    while sum(map(len, parts)) < length and parts[-1]:
        done = sum(map(len, parts))
        parts.append(os.pread(handle, length - done, position + done))
    return b"".join(parts)


def store(connection: "DuckDBPyConnection", part: Part) -> None:
    name, progress = part.path.name, part.progress
    insert_models(connection, list(part.new_models.values()))
    if part.requests is not None:
        insert_requests(connection, part.requests)
    row = [name, progress.loaded_bytes, write_models(progress.models)]
    connection.execute("INSERT OR REPLACE INTO journal.segments VALUES (?, ?, ?)", row)
    for one in part.damaged:
        connection.execute("INSERT INTO journal.damage VALUES (?, ?, ?)", [name, one.position, one.size_bytes])


def tell(part: Part) -> None:
    for one in part.damaged:
        print(
            f"{part.path}: {one.size_bytes} bytes at {one.position} are damaged and left out; a power cut or a full "
            "disk does so. All other requests are loaded.",
            file=sys.stderr,
            flush=True,
        )


def forget(warehouse: Warehouse, names: Set[str]) -> None:
    """Drop what is known of segments that are gone."""
    if names:
        what, sql = "forget old journals", "DELETE FROM journal.segments WHERE name IN (SELECT unnest($names))"
        warehouse.run(what, sql, {"names": sorted(names)})


def expire(warehouse: Warehouse) -> None:
    """Delete what is older than the settings allow."""
    days = warehouse.place.expiry_days
    if days is not None:
        sql = "DELETE FROM esteira.request_log WHERE logging_time < now() - to_days(CAST($days AS INTEGER))"
        warehouse.run("delete expired requests", sql, {"days": days})
