"""What keeps the requests that were answered; the server knows no more of it."""

from typing import NamedTuple

from typing_extensions import Protocol

from esteira.monitoring.deployed import Deployed


class LogRule(NamedTuple):
    """How many of the requests are kept, chosen at random, and what of their texts: keep, hash or redact."""

    percent: int = 0
    text: str = "keep"


class AnswerLog(Protocol):
    """Called in the event loop for each request that is answered with 200, before its answer is sent."""

    def keep(self, deployed: Deployed, request_id: int, request: bytes, response: bytes) -> None:
        """Keep a request's body and the model's answer to it, so that they outlive this process.

        Raises OSError if they cannot be written; the request is answered all the same.
        """

    def close(self) -> None:
        """Called once, when all requests are answered."""
