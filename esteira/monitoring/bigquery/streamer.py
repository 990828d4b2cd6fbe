"""The process that carries a journal into BigQuery while a server runs in a container.

python -m esteira.monitoring.bigquery.streamer --journal DIR --table P.D.T --project P --parent-fd N

A container's disk goes with it, so that nothing waits: what the journal holds is sent within a second or two, and the
rest once the server has ended. How far it has got lies beside each segment after every batch, so that a process that
is started again goes on there.

A request may still be logged twice: BigQuery leaves out a row whose insertId came in the last minute or so, as far as
it remembers. A batch that was taken, but whose answer was lost, or whose sender was killed before it wrote how far it
had got, makes second rows if it is sent again later than that. They have the same request_id.
https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery#dataconsistency
"""

import argparse
import os
import select
import socket
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

from esteira.errors import EsteiraError, GoogleError
from esteira.google.api import Api
from esteira.monitoring.bigquery.batches import Batch, Models, models_before, read_batch, tell
from esteira.monitoring.bigquery.sent import read_sent, remove_leftovers, remove_segment, write_sent
from esteira.monitoring.bigquery.stream import Answer, Identified, Streamed
from esteira.monitoring.journal.segments import Segment, list_segments, opened_segment

LOOK_S = 1.0
# While BigQuery refuses.
REFUSED_S = 15.0
# How long what is left may take once the server has ended.
FLUSH_S = 20.0
# How long one request is repeated, so that the server's end is not missed; what waits is sent again anyhow.
RETRY_S = 8.0
NICENESS = 10
# Answers to a request that BigQuery will never take as it is.
UNACCEPTABLE = (400, 413)

Insert = Callable[[Sequence[Identified]], Answer]


class Streamer:
    """Sends what the journal in a folder holds."""

    def __init__(self, journal: Path, insert: Insert) -> None:
        self._journal = journal
        self._insert = insert
        # By the segment's name: the models that it has told of, and the batch that is under way.
        self._models: Dict[str, Models] = {}
        self._batches: Dict[str, Batch] = {}

    def send(self) -> int:
        """Send all that is there and return how many requests that were.

        Raises GoogleError if it is refused; the next call goes on there.
        """
        remove_leftovers(self._journal)
        return sum(self._send_segment(path) for path in list_segments(self._journal))

    def _send_segment(self, path: Path) -> int:
        count = 0
        with opened_segment(path) as segment:
            size = os.fstat(segment.handle).st_size
            batch = self._next_batch(segment, size)
            while batch:
                self._send_batch(batch)
                write_sent(path, batch.end)
                del self._batches[path.name]
                count += batch.number
                batch = self._next_batch(segment, size)
            is_over = not segment.is_live
        if is_over:
            remove_segment(path)
            self._models.pop(path.name, None)
        return count

    def _next_batch(self, segment: Segment, size: int) -> Optional[Batch]:
        """Return what is to be sent of a segment next, None if there is nothing more."""
        name = segment.path.name
        if name not in self._batches:
            start = read_sent(segment.path)
            if name not in self._models:
                self._models[name] = models_before(segment, start)
            batch = read_batch(segment, start, size, self._models[name]) if start < size else None
            if batch is None:
                return None
            self._batches[name] = batch
        return self._batches[name]

    def _send_batch(self, batch: Batch) -> None:
        """Send what is left of a batch. What is refused as a whole goes by halves, until one row is left to blame."""
        while batch.waiting:
            rows = batch.waiting[-1]
            try:
                answer = self._insert(rows)
            except GoogleError as error:
                if error.status not in UNACCEPTABLE:
                    raise
                half = len(rows) // 2
                batch.waiting[-1:] = [rows[half:], rows[:half]] if half else []
                tell([] if half else [f"request {rows[0][0]}: BigQuery answers {error.status} to it"])
                continue
            batch.waiting[-1:] = [answer.again] if answer.again else []
            tell(answer.refused)
            if answer.again:
                raise GoogleError(f"Google Cloud: BigQuery has not taken some rows: {answer.why}")


def stream_until_closed(streamer: Streamer, parent: socket.socket) -> None:
    """Send until the parent closes its end of the socket, and what is left then; it never writes."""
    told, pause_s = "", LOOK_S
    while not select.select([parent], [], [], pause_s)[0]:
        fault = fault_of(streamer)
        if fault and fault != told:
            print(f"Requests wait to be logged: {fault}", file=sys.stderr, flush=True)
        told, pause_s = fault, REFUSED_S if fault else LOOK_S
    limit_s = time.monotonic() + FLUSH_S
    fault = fault_of(streamer)
    while fault and time.monotonic() < limit_s:
        time.sleep(LOOK_S)
        fault = fault_of(streamer)
    if fault:
        print(f"Not logged: what was asked at last: {fault}", file=sys.stderr, flush=True)


def fault_of(streamer: Streamer) -> str:
    """Send all that is there and return what stands against it, "" if it is sent.

    Of an error that nobody has thought of only its name: what it says may have a client's text in it.
    """
    try:
        streamer.send()
    except EsteiraError as error:
        return str(error)
    except Exception as error:
        return type(error).__name__
    return ""


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(description="Stream a journal of requests.")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--table", required=True, help="project.dataset.table")
    parser.add_argument("--project", required=True)
    parser.add_argument("--parent-fd", type=int, required=True, help="a socket of the process that started this one")
    given = parser.parse_args(arguments)
    os.nice(NICENESS)
    streamed = Streamed(Api(given.project, "", os.environ, retry_s=RETRY_S), given.table)
    with socket.socket(fileno=given.parent_fd) as parent:
        stream_until_closed(Streamer(given.journal, streamed.insert), parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
