"""How many rows are answered, shown on a terminal while it goes on."""

import time
from typing import TextIO

EVERY_S = 0.2
CLEAR_LINE = "\r\x1b[K"


class RowProgress:
    """Counts rows; on a terminal their number, and how many come a second, stand in a line that is written over."""

    def __init__(self, err: TextIO) -> None:
        self.written = 0
        self.line = 0
        self._err = err
        self._shows = can_be_written_over(err)
        self._begun_s = self._shown_s = time.monotonic()
        self._stands = False

    def count(self, line: int) -> None:
        """Count a row that stands on this line of its file."""
        self.written += 1
        self.line = line
        if self._shows:
            self._show()

    def say(self, text: str) -> None:
        """Write a line of its own."""
        self.end()
        print(text, file=self._err, flush=True)

    def end(self) -> None:
        """Take the line away."""
        if self._stands:
            self._err.write(CLEAR_LINE)
            self._err.flush()
            self._stands = False

    def _show(self) -> None:
        now_s = time.monotonic()
        if now_s - self._shown_s < EVERY_S:
            return
        rate = self.written / max(now_s - self._begun_s, EVERY_S)
        self._err.write(f"{CLEAR_LINE}{self.written:,} rows, {rate:,.0f} a second")
        self._err.flush()
        self._shown_s, self._stands = now_s, True


def can_be_written_over(stream: TextIO) -> bool:
    """Return whether a stream is a terminal, and one that knows how to erase a line, as rich tells from TERM."""
    if not stream.isatty():
        return False
    from rich.console import Console

    return Console(file=stream).is_interactive
