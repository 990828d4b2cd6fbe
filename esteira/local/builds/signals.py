"""Ctrl-C and SIGTERM as events, so that a build can end its steps in order."""

import signal
import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator


@contextmanager
def calling_on_signals(call: Callable[[], None]) -> Iterator[None]:
    """Have SIGINT and SIGTERM call a function instead of ending the process.

    Only the main thread can listen; in another one this does nothing. A signal that is ignored
    stays so: a shell ignores SIGINT for its jobs in the background.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: Any) -> None:
        call()

    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    former = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
