"""A program that a test has begun: its lines as they come, and no waiting without an end."""

import signal
import subprocess
import threading
import time
from typing import Callable, List, NamedTuple, Optional

# Longer than any deploy here takes on a busy machine, shorter than what pytest gives a test.
PATIENCE_S = 240.0


class Ended(NamedTuple):
    """An exit code, and what was printed."""

    code: int
    text: str


class Started:
    """A program whose output is read in a thread; it is killed at the end of the block if it still runs.

    AssertionError tells what it had printed where it does not come to what is waited for within `patience_s`.
    """

    def __init__(self, process: "subprocess.Popen[str]", patience_s: float = PATIENCE_S) -> None:
        self._process = process
        self._patience_s = patience_s
        self._lines: List[str] = []
        self._looked = 0
        self._is_over = False
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, *told: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def told(self, beginning: str) -> str:
        """Return the next line that begins so."""
        line = self._wait(f'for a line "{beginning}…"', lambda: self._next(beginning))
        assert line, f'no line "{beginning}…" came; all that did:\n{self.text}'
        return line

    def interrupt(self) -> None:
        """Do as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    def ended(self) -> Ended:
        """Return how the program ended, and all that it printed."""
        self._wait("for the end", lambda: "over" if self._is_over else None)
        return Ended(self._process.wait(self._patience_s), self.text)

    @property
    def text(self) -> str:
        return "".join(self._lines)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            with self._news:
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._is_over = True
            self._news.notify_all()

    def _next(self, beginning: str) -> Optional[str]:
        """Return a line that has come, "" if none will, None if one may."""
        while self._looked < len(self._lines):
            self._looked += 1
            if self._lines[self._looked - 1].startswith(beginning):
                return self._lines[self._looked - 1]
        return "" if self._is_over else None

    def _wait(self, what: str, look: Callable[[], Optional[str]]) -> str:
        limit_s = time.monotonic() + self._patience_s
        with self._news:
            found = look()
            while found is None:
                left_s = limit_s - time.monotonic()
                assert left_s > 0, f"waited {self._patience_s:g} s {what}; what came:\n{self.text}"
                self._news.wait(left_s)
                found = look()
        return found
