"""The process that carries a journal into BigQuery while a server runs in a container.

python -m esteira.monitoring.bigquery.streamer --journal DIR --table P.D.T --project P --parent-fd N

A container's disk goes with it, so that nothing waits: what the journal holds is sent within a second or two, and the
rest once the server has ended. A request that was sent twice, as after a lost answer, is one row: its id says so.
"""

import argparse
import os
import select
import socket
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

from esteira.errors import EsteiraError
from esteira.google.api import Api
from esteira.monitoring.bigquery.payload_rows import INPUTS, INSTANCES, OUTPUTS, PREDICTIONS, rows_of
from esteira.monitoring.bigquery.stream import ROW_BYTES, Identified, Streamed, size_of
from esteira.monitoring.journal.frames import Described, Record
from esteira.monitoring.journal.segments import Segment, list_segments, opened_segment
from esteira.monitoring.warehouse.ingest import read_part

LOOK_S = 1.0
# While BigQuery refuses.
REFUSED_S = 15.0
# How long what is left may take once the server has ended.
FLUSH_S = 20.0
NICENESS = 10
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

Insert = Callable[[Sequence[Identified]], List[str]]


class Streamer:
    """Sends what the journal in a folder holds; how far it has got is known to this process alone."""

    def __init__(self, journal: Path, insert: Insert) -> None:
        self._journal = journal
        self._insert = insert
        self._sent: Dict[str, int] = {}
        self._models: Dict[str, Dict[int, Described]] = {}

    def send(self) -> int:
        """Send all that is there and return how many requests that were. Raises GoogleError if it is refused."""
        return sum(self._send_segment(path) for path in list_segments(self._journal))

    def _send_segment(self, path: Path) -> int:
        count = 0
        with opened_segment(path) as segment:
            size = os.fstat(segment.handle).st_size
            while True:
                number = self._send_part(segment, size)
                if number is None:
                    break
                count += number
            is_over = not segment.is_live
        if is_over:
            path.unlink()
            self._sent.pop(path.name, None)
            self._models.pop(path.name, None)
        return count

    def _send_part(self, segment: Segment, size: int) -> Optional[int]:
        """Send the next part of a segment and return how many requests it has, None if there is no more."""
        name = segment.path.name
        start = self._sent.get(name, 0)
        frames = read_part(segment, start, size) if start < size else None
        if frames is None or not frames.end:
            return None
        models = self._models.setdefault(name, {})
        models.update(frames.models)
        rows = [as_row(record, models[record.deployed]) for record in frames.records if record.deployed in models]
        for told in [*too_large(rows), *self._insert([row for row in rows if size_of(row) <= ROW_BYTES])]:
            print(f"Not logged: {told}", file=sys.stderr, flush=True)
        self._sent[name] = start + frames.end
        return len(rows)


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


def too_large(rows: Sequence[Identified]) -> List[str]:
    return [f"request {row[0]}: has more than {ROW_BYTES:,} bytes" for row in rows if size_of(row) > ROW_BYTES]


def stream_until_closed(streamer: Streamer, parent: socket.socket) -> None:
    """Send until the parent closes its end of the socket, and what is left then; it never writes."""
    told, pause_s = "", LOOK_S
    while not select.select([parent], [], [], pause_s)[0]:
        try:
            streamer.send()
            told, pause_s = "", LOOK_S
        except EsteiraError as error:
            if str(error) != told:
                print(f"Requests wait to be logged: {error}", file=sys.stderr, flush=True)
            told, pause_s = str(error), REFUSED_S
    limit_s = time.monotonic() + FLUSH_S
    while time.monotonic() < limit_s:
        with suppress(EsteiraError):
            streamer.send()
            return
        time.sleep(LOOK_S)
    print("Not logged: what was asked at last, as BigQuery does not take it", file=sys.stderr, flush=True)


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(description="Stream a journal of requests.")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--table", required=True, help="project.dataset.table")
    parser.add_argument("--project", required=True)
    parser.add_argument("--parent-fd", type=int, required=True, help="a socket of the process that started this one")
    given = parser.parse_args(arguments)
    os.nice(NICENESS)
    streamed = Streamed(Api(given.project, "", os.environ), given.table)
    with socket.socket(fileno=given.parent_fd) as parent:
        stream_until_closed(Streamer(given.journal, streamed.insert), parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
