"""What of a segment goes into one request to BigQuery."""

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterable, List, Mapping, Optional

from esteira.monitoring.bigquery.payload_rows import INPUTS, INSTANCES, OUTPUTS, PREDICTIONS, rows_of
from esteira.monitoring.bigquery.stream import BATCH_BYTES, BATCH_ROWS, ROW_BYTES, Identified, size_of
from esteira.monitoring.journal.frames import Described, Record, read_frames
from esteira.monitoring.journal.segments import Segment
from esteira.monitoring.warehouse.ingest import read_bytes

# What is read of a segment at once, unless one frame is longer.
READ_BYTES = 4 * 1024 * 1024
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

Models = Dict[int, Described]


@dataclass
class Batch:
    """`number` requests of a segment, which end at the position `end`.

    `waiting` are those still to be sent: rows for a request each, the next one at the end.
    """

    end: int
    number: int
    waiting: List[List[Identified]]


def read_batch(segment: Segment, start: int, size: int, models: Models) -> Optional[Batch]:
    """Return what comes next in a segment of `size` bytes, None if nothing does; models that it tells of are added."""
    length = min(READ_BYTES, size - start)
    content = read_bytes(segment.handle, length, start)
    frames = read_frames(content, limit=BATCH_ROWS)
    while not frames.end and length < size - start:
        length = min(length * 2, size - start)
        content = read_bytes(segment.handle, length, start)
        frames = read_frames(content, limit=BATCH_ROWS)
    if not frames.end:
        return None
    models.update(frames.models)
    rows: List[Identified] = []
    number = size_bytes = 0
    for record in frames.records:
        row = readable_row(record, models)
        row_bytes = size_of(row) if row else 0
        if rows and size_bytes + row_bytes > BATCH_BYTES:
            return Batch(start + read_frames(content, limit=number).end, number, [rows])
        number += 1
        if row and row_bytes <= ROW_BYTES:
            rows.append(row)
            size_bytes += row_bytes
        elif row:
            tell([f"request {record.request_id}: has more than {ROW_BYTES:,} bytes"])
    return Batch(start + frames.end, number, [rows] if rows else [])


def models_before(segment: Segment, end: int) -> Models:
    """Return the models that a segment tells of before a position."""
    return read_frames(read_bytes(segment.handle, end, 0), limit=end).models if end else {}


def readable_row(record: Record, models: Mapping[int, Described]) -> Optional[Identified]:
    """Return a request as a row; None, and what is wrong told, where it can be none: others must not wait for it."""
    try:
        return as_row(record, models[record.deployed])
    except Exception as error:
        tell([f"request {record.request_id}: cannot be read: {type(error).__name__}"])
        return None


def as_row(record: Record, described: Described) -> Identified:
    """Return a request as request_log has it.

    The model's version is left to deployed_models: Vertex AI gives it when the model is uploaded, after the container
    was told what to serve.
    """
    deployed = described.deployed
    row: Dict[str, Any] = {
        "endpoint": deployed.endpoint,
        "deployed_model_id": deployed.id,
        "logging_time": (EPOCH + timedelta(microseconds=record.time_ns // 1000)).isoformat(),
        "request_id": str(record.request_id),
        "request_payload": rows_of(record.request, INSTANCES, INPUTS),
        "response_payload": rows_of(record.response, PREDICTIONS, OUTPUTS),
        "release_id": deployed.release or None,
    }
    return str(record.request_id), row


def tell(faults: Iterable[str]) -> None:
    for fault in faults:
        print(f"Not logged: {fault}", file=sys.stderr, flush=True)
