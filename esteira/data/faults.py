"""The faults of a CSV, collected so that all are told at once."""

from pathlib import Path
from typing import List, Tuple

from esteira.errors import DataError

SHOWN = 10


class Faults:
    """Counts the faulty lines of a file and remembers the first ten."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._first: List[Tuple[int, str]] = []

    def add(self, line: int, fault: str) -> None:
        """Note what is wrong with the record that starts on the physical line `line`, from 1."""
        self._count += 1
        if len(self._first) < SHOWN:
            self._first.append((line, fault))

    def raise_if_any(self) -> None:
        """Raise DataError that names the first ten faults and says how many there are."""
        if not self._count:
            return
        lines = [f"  line {line}: {fault}" for line, fault in sorted(self._first)]
        if self._count > SHOWN:
            lines.append(f"  and {self._count - SHOWN} more")
        rows = "1 row" if self._count == 1 else f"{self._count} rows"
        raise DataError(
            "\n".join([f"{self._path}: {rows} cannot be used, so nothing was written.", *lines])
            + "\nMend or remove these lines, then run the command again."
        )
