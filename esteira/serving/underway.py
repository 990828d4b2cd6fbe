"""A request that is being answered, which its deadline or its client may give up from outside."""

import asyncio
from typing import Optional

LATE, GONE = "late", "gone"
# Under this name the ASGI scope holds it, so that the connection can tell it that the client left.
KEY = "esteira.underway"


class Underway:
    """Cancels the task that made it when the time is over, unless it ended before; `reason` says why.

    `is_read` tells that its body has arrived, `version` the model that was chosen for it.
    """

    __slots__ = ("_task", "_timer", "is_read", "reason", "version")

    def __init__(self, timeout_s: float) -> None:
        self._task: Optional[asyncio.Task[None]] = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(timeout_s, self.give_up, LATE)
        self.reason = ""
        self.is_read = False
        self.version = ""

    def give_up(self, reason: str) -> None:
        if self._task is not None and not self.reason:
            self.reason = reason
            self._task.cancel()

    def end(self) -> None:
        """From now on nothing gives it up: it is being answered."""
        self._task = None
        self._timer.cancel()
