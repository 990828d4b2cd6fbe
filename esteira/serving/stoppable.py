"""uvicorn, told when to stop by a signal or by the process that started it, and stopping without a request lost."""

import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import contextmanager
from types import FrameType
from typing import Any, Callable, Iterator, List, NoReturn, Optional

import uvicorn

from esteira.serving.catalogue import Catalogue
from esteira.serving.connection import Connection
from esteira.serving.limits import Limits

KEEP_ALIVE_S = 60
# More connections than these are answered with 503; each takes a file and some kilobytes.
MAX_CONNECTIONS = 4096
SIGNALS = (signal.SIGTERM, signal.SIGINT)
TICKS_PER_S = 10
# To end the connections, the models and the log in, once no request is under way.
SPARE_S = 10.0
# Of Python's turns between threads. With the usual 5 ms a batch that has run waits so long for the event loop's turn to
# end, and the model rests meanwhile; and while another model is loaded, which is work in Python, each answer waits.
SWITCH_S = 0.0005


class StoppableServer(uvicorn.Server):
    """Serves the application from its start, whether or not a model is loaded.

    `started` is called once it listens. When it is told to stop it is no longer ready, for `drain_s` seconds still
    takes requests, then answers those that are under way. A second signal ends the process at once.
    """

    def __init__(
        self,
        app: Any,
        catalogue: Catalogue,
        limits: Limits,
        *,
        parent: Optional[socket.socket],
        drain_s: float,
        begin: Callable[[], None],
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=Connection,
                ws="none",
                lifespan="off",
                access_log=False,
                # What it warns of, each client could have it write as often as it likes.
                log_level="error",
                server_header=False,
                # Nothing asks where a client is.
                proxy_headers=False,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_S,
                # By then every request that is under way is answered, if only with 504.
                timeout_graceful_shutdown=int(limits.timeout_s) + 1,
            )
        )
        self._catalogue = catalogue
        self._limits = limits
        self._parent = parent
        self._drain_s = drain_s
        self._begin = begin
        self._stop_at_s: Optional[float] = None

    async def startup(self, sockets: Optional[List[socket.socket]] = None) -> None:
        sys.setswitchinterval(SWITCH_S)
        await super().startup(sockets)
        if self._parent is not None:
            asyncio.get_running_loop().add_reader(self._parent, self._parent_ended)
        self._begin()

    async def on_tick(self, counter: int) -> bool:
        if self._stop_at_s is not None and time.monotonic() >= self._stop_at_s:
            self.should_exit = True
        if counter % TICKS_PER_S == 0:
            now_s = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.check(now_s, self._limits.timeout_s)
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals while it serves; unlike uvicorn, it does not raise them again afterwards."""
        for number in SIGNALS:
            signal.signal(number, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: Optional[FrameType]) -> None:
        """Stop at the first signal; end at once at the second, or while there is nothing to finish."""
        if self._catalogue.is_stopping:
            end_process(128 + sig)
        if not self._catalogue.shares:
            leave(sig, frame)
        self._stop()

    def _stop(self) -> None:
        self._catalogue.is_stopping = True
        self._stop_at_s = time.monotonic() + self._drain_s
        end_within(self._drain_s + self._limits.timeout_s + SPARE_S)

    def _parent_ended(self) -> None:
        """The parent never writes, so what can be read is the end."""
        if self._parent is not None:
            asyncio.get_running_loop().remove_reader(self._parent)
        self._stop()


def end_within(limit_s: float) -> None:
    """Have the kernel end the process if it still runs then, whatever holds it up; 0 takes that back."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limit_s)


def leave(number: int, frame: Any) -> NoReturn:
    """End the process at once: while it loads there is nothing to finish.

    An exception instead could be swallowed by a module that is being imported.
    """
    end_process(0)


def end_process(status: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
