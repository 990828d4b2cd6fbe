"""Live progress of named pieces of work: rich on a terminal that can be written over, plain lines elsewhere."""

import sys
import threading
import time
from types import TracebackType
from typing import Dict, List, Optional, Sequence, Type

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

MARKS = {"succeeded": "✓", "cached": "=", "failed": "✗", "skipped": "-", "cancelled": "-"}
STYLES = {"succeeded": "green", "cached": "green", "failed": "red", "skipped": "dim", "cancelled": "yellow"}


class Progress:
    """Shows which of `names` run, how long, and how they ended.

    Thread-safe. `started`, `finished` and `line` may be called for names that were
    not announced.
    """

    def __init__(self, names: Sequence[str], console: Optional[Console] = None) -> None:
        self._console = console or Console(file=sys.stdout, soft_wrap=True, highlight=False)
        self._lock = threading.Lock()
        self._order: List[str] = list(names)
        self._started_s: Dict[str, float] = {}
        self._live = Live(console=self._console, get_renderable=self._table, refresh_per_second=8, transient=True)

    def __enter__(self) -> "Progress":
        if self._console.is_interactive:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if self._console.is_interactive:
            self._live.stop()

    def started(self, name: str) -> None:
        with self._lock:
            self._started_s[name] = time.monotonic()
        if not self._console.is_interactive:
            self._print(f"… {name}")

    def finished(self, name: str, outcome: str, detail: str = "") -> None:
        """Say how `name` ended: succeeded, cached, failed, skipped or cancelled."""
        with self._lock:
            started_s = self._started_s.pop(name, None)
            if name in self._order:
                self._order.remove(name)
        seconds = "" if started_s is None else f" {time.monotonic() - started_s:.1f} s"
        text = f"{MARKS[outcome]} {name}: {outcome}{seconds}{': ' + detail if detail else ''}"
        self._print(text, STYLES[outcome])

    def line(self, name: str, text: str) -> None:
        """Show one line that `name` wrote."""
        self._print(f"{name}: {text}", "dim")

    def _print(self, text: str, style: str = "") -> None:
        with self._lock:
            self._console.print(Text(text, style=style))

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        now_s = time.monotonic()
        for name, started_s in list(self._started_s.items()):
            table.add_row(Text("●", style="cyan"), name, f"{now_s - started_s:.0f} s")
        waiting = [name for name in self._order if name not in self._started_s]
        if waiting:
            table.add_row(Text("○", style="dim"), Text(", ".join(waiting), style="dim"), "")
        return table
