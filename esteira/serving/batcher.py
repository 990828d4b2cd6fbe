"""Micro-batching without a timer: one thread runs the model on whatever queued while it was busy.

A request that finds the model idle runs with those that were read in the same turn of the event loop; under load the
batches grow by themselves, up to `max_batch` rows. Only requests of one signature whose rows have one shape share a
batch. What nobody waits for any more when its turn comes is not run.
"""

import asyncio
import threading
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Callable, Deque, Hashable, List, Optional, Sequence, Tuple, Union

import numpy as np

from esteira.serving.counts import BATCH_ROWS, Histogram
from esteira.serving.outputs import BatchOutputs, Outputs
from esteira.serving.refusal import Refusal
from esteira.serving.signature import Arrays, Signature

# Runs a signature, given by name, on arrays that have a common first dimension.
RunModel = Callable[[str, Arrays], Arrays]


@dataclass(frozen=True)
class Piece:
    """Rows of one request that go through the model together."""

    signature: str
    arrays: Arrays
    rows: int
    answer: "asyncio.Future[Outputs]"


Outcome = Tuple[Piece, Union[Outputs, Exception]]


class Batcher:
    """Runs requests on `run_model` in its own thread, and refuses more than `max_waiting` waiting rows."""

    def __init__(self, run_model: RunModel, *, max_batch: int, max_waiting: int) -> None:
        self._run_model = run_model
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._changed = threading.Condition()
        self._queues: OrderedDict[Hashable, Deque[Piece]] = OrderedDict()
        self._waiting = 0
        self._is_idle = False
        self._ending = False
        # Of the rows that the model ran on together.
        self.batches = Histogram(BATCH_ROWS)
        self._thread = threading.Thread(target=self._work, name="inference", daemon=True)

    @property
    def waiting_rows(self) -> int:
        return self._waiting

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread when it has answered all that waits."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join()

    async def predict(self, signature: Signature, arrays: Arrays, rows: Optional[int]) -> Outputs:
        """Return the model's outputs for these inputs; more rows than `max_batch` run in several pieces.

        `rows` is None where the inputs have no common first dimension.
        Raises Refusal (429) if too much waits already, or what the model raised.
        """
        loop = asyncio.get_running_loop()
        if rows is None or not signature.is_batchable:
            piece = Piece(signature.name, arrays, rows or 1, loop.create_future())
            self._enqueue([piece], object())
            return await piece.answer
        key = batch_key(signature, arrays)
        if rows <= self._max_batch:
            piece = Piece(signature.name, arrays, rows, loop.create_future())
            self._enqueue([piece], key)
            return await piece.answer
        pieces = [
            Piece(signature.name, part, count, loop.create_future())
            for part, count in split_rows(arrays, rows, self._max_batch)
        ]
        self._enqueue(pieces, key)
        parts = await asyncio.gather(*(piece.answer for piece in pieces))
        return Outputs(BatchOutputs(join_rows([part.arrays() for part in parts])))

    def _enqueue(self, pieces: Sequence[Piece], key: Hashable) -> None:
        rows = sum(piece.rows for piece in pieces)
        with self._changed:
            if self._ending:
                raise Refusal(503, "the server is stopping", {"retry-after": "1"})
            # A request larger than the bound still gets in while nothing waits.
            if self._waiting and self._waiting + rows > self._max_waiting:
                raise Refusal(429, f"{self._waiting} rows are waiting; try again in a second", {"retry-after": "1"})
            self._waiting += rows
            self._queues.setdefault(key, deque()).extend(pieces)
            is_idle = self._is_idle
        if is_idle:
            # By then the other requests that have been read have queued, too, and share the first batch.
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        """Wake the thread, once for all that has queued."""
        with self._changed:
            if self._is_idle:
                self._is_idle = False
                self._changed.notify()

    def _work(self) -> None:
        while True:
            batch = self._take()
            if not batch:
                return
            batch = [piece for piece in batch if not piece.answer.done()]
            if not batch:
                continue
            self.batches.observe(sum(piece.rows for piece in batch))
            outcomes = run_batch(self._run_model, batch)
            # The server may have stopped meanwhile: after so long nobody waits for this any more.
            with suppress(RuntimeError):
                batch[0].answer.get_loop().call_soon_threadsafe(deliver, outcomes)
            # Until the next batch comes, nothing of this one is held.
            del batch, outcomes

    def _take(self) -> List[Piece]:
        """Wait for work and return the next batch, of the key that waits longest for its turn."""
        with self._changed:
            while not self._queues and not self._ending:
                self._is_idle = True
                self._changed.wait()
            self._is_idle = False
            if not self._queues:
                return []
            key, queue = self._queues.popitem(last=False)
            batch = take_up_to(queue, self._max_batch)
            if queue:
                self._queues[key] = queue
            self._waiting -= sum(piece.rows for piece in batch)
            return batch


def batch_key(signature: Signature, arrays: Arrays) -> Hashable:
    return signature.name, tuple((name, array.shape[1:]) for name, array in sorted(arrays.items()))


def split_rows(arrays: Arrays, rows: int, size: int) -> List[Tuple[Arrays, int]]:
    """Return the arrays in parts of at most `size` rows, each with its count."""
    return [
        ({name: array[start : start + size] for name, array in arrays.items()}, min(size, rows - start))
        for start in range(0, rows, size)
    ]


def join_rows(parts: Sequence[Arrays]) -> Arrays:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def take_up_to(queue: "Deque[Piece]", rows: int) -> List[Piece]:
    """Take pieces from the front, at least one, while they have no more than `rows` rows together."""
    batch = [queue.popleft()]
    total = batch[0].rows
    while queue and total + queue[0].rows <= rows:
        batch.append(queue.popleft())
        total += batch[-1].rows
    return batch


def run_batch(run_model: RunModel, batch: Sequence[Piece]) -> List[Outcome]:
    """Return what became of each piece; a piece that fails does so alone."""
    if len(batch) > 1:
        try:
            outputs = run_model(batch[0].signature, join_rows([piece.arrays for piece in batch]))
            return share_rows(outputs, batch)
        except Exception:
            # Which piece is at fault shows when each runs by itself.
            return [run_piece(run_model, piece) for piece in batch]
    return [run_piece(run_model, batch[0])]


def run_piece(run_model: RunModel, piece: Piece) -> Outcome:
    try:
        return piece, Outputs(BatchOutputs(run_model(piece.signature, piece.arrays)))
    except Exception as error:
        return piece, error


def share_rows(outputs: Arrays, batch: Sequence[Piece]) -> List[Outcome]:
    """Give each piece its rows. Raises ValueError if an output has other rows than the batch."""
    total = sum(piece.rows for piece in batch)
    for name, array in outputs.items():
        if array.shape[:1] != (total,):
            raise ValueError(f"output {name} has the shape {array.shape} for {total} rows")
    together = BatchOutputs(outputs)
    shared: List[Outcome] = []
    start = 0
    for piece in batch:
        end = start + piece.rows
        shared.append((piece, Outputs(together, slice(start, end))))
        start = end
    return shared


def deliver(outcomes: Sequence[Outcome]) -> None:
    """Answer the waiting requests, in their event loop; those that were given up are passed over."""
    for piece, outcome in outcomes:
        if piece.answer.done():
            continue
        if isinstance(outcome, Exception):
            piece.answer.set_exception(outcome)
        else:
            piece.answer.set_result(outcome)
