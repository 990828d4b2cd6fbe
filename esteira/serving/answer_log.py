"""What keeps the requests that were answered; the server knows no more of it."""

import asyncio
import sys
from typing import List, NamedTuple, Sequence

from typing_extensions import Protocol

from esteira.monitoring.deployed import Deployed
from esteira.serving.counts import Counts

# So much of one turn of the event loop is written without waiting for the rest of it.
WRITE_BYTES = 1024 * 1024


class LogRule(NamedTuple):
    """How many of the requests are kept, chosen at random, and what of their texts: keep, hash or redact."""

    percent: int = 0
    text: str = "keep"


class Exchange(NamedTuple):
    """A request's body, and the model's answer to it."""

    deployed: Deployed
    request_id: int
    request: bytes
    response: bytes


class AnswerLog(Protocol):
    """Called in the event loop for requests that are answered with 200, before their answers are sent."""

    def keep(self, answered: Sequence[Exchange]) -> None:
        """Keep them, so that they outlive this process.

        Raises OSError if they cannot be written; the requests are answered all the same.
        """

    def close(self) -> None:
        """Called once, when all requests are answered."""


class AnswerKeeper:
    """Has the log keep by one write what is answered in one turn of the event loop, as a batch of the model is.

    A write lets other threads run meanwhile, and the one that runs the model then holds the interpreter for long.
    """

    def __init__(self, log: AnswerLog, counts: Counts) -> None:
        self._log = log
        self._counts = counts
        self._is_failing = False
        self._begin()

    def _begin(self) -> None:
        self._answered: List[Exchange] = []
        self._waiting: List[asyncio.Future[None]] = []
        self._size_bytes = 0

    async def keep(self, answered: Exchange) -> None:
        """Return when it is kept. If it cannot be, that is counted, and told once."""
        loop = asyncio.get_running_loop()
        if not self._answered:
            loop.call_soon(self._write)
        written = loop.create_future()
        self._answered.append(answered)
        self._waiting.append(written)
        self._size_bytes += len(answered.request) + len(answered.response)
        if self._size_bytes >= WRITE_BYTES:
            self._write()
        await written

    def _write(self) -> None:
        answered, waiting = self._answered, self._waiting
        if not answered:
            return
        self._begin()
        try:
            self._log.keep(answered)
        except Exception as error:
            self._counts.log_failures += len(answered)
            self._tell(error)
        else:
            self._counts.log_records += len(answered)
            self._is_failing = False
        for written in waiting:
            # A request may have been given up meanwhile.
            if not written.done():
                written.set_result(None)

    def _tell(self, error: Exception) -> None:
        if not self._is_failing:
            told = f"request log: cannot be written: {error}\nRequests are answered without being kept."
            print(told, file=sys.stderr, flush=True)
        self._is_failing = True
