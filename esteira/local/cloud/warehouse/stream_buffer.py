"""The streaming buffer of the stand-in of BigQuery: rows that were streamed of late, which no statement may change.

Google says half an hour of it, and 90 minutes; the longer one holds here.
https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations
https://cloud.google.com/knowledge/kb/cannot-update-or-delete-over-bigquery-streaming-tables-000004334
"""

import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Tuple

from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.warehouse.rows import Rows
from esteira.local.cloud.warehouse.statement import Statement, change_of
from esteira.local.cloud.warehouse.values import Json

HELD_S = 90 * 60.0


@dataclass
class StreamBuffer:
    """Writes rows that are held for `held_s`; `time_s` is a clock that tests may set."""

    rows: Rows
    held_s: float = HELD_S
    time_s: Callable[[], float] = time.time
    # When each row came, and its number in DuckDB, by table.
    _held: Dict[str, List[Tuple[float, int]]] = field(default_factory=dict)

    def append(self, name: str, rows: List[Json]) -> None:
        """Write rows as Rows.append does, and hold them."""
        with self.rows.lock:
            last = self._numbers(f"SELECT MAX(rowid) FROM {self.rows.place(name)}")[0]
            self.rows.append(name, rows)
            beyond = -1 if last is None else last
            numbers = self._numbers(f"SELECT rowid FROM {self.rows.place(name)} WHERE rowid > {beyond}")
            now_s = self.time_s()
            self._held.setdefault(name, []).extend((now_s, number) for number in numbers)

    def forget(self, name: str) -> None:
        """Hold no row of a table that is removed."""
        self._held.pop(name, None)

    def described(self, name: str) -> Json:
        """Return what a table tells of the buffer, nothing while it is empty."""
        held = self._still_held(name)
        if not held:
            return {}
        oldest = str(int(min(came_s for came_s, _ in held) * 1000))
        return {"streamingBuffer": {"estimatedRows": str(len(held)), "oldestEntryTime": oldest}}

    def refuse(self, project: str, statement: Statement, parameters: Dict[str, Any]) -> None:
        """Refuse a statement that would change a row that is held."""
        if statement.kind not in ("UPDATE", "DELETE", "MERGE"):
            return
        name = statement.tables[0]
        numbers = ", ".join(str(number) for _, number in self._still_held(name))
        if not numbers:
            return
        table, condition = change_of(statement)
        affected = f"SELECT COUNT(*) FROM {table} WHERE {table}.rowid IN ({numbers}) AND ({condition})"
        # What a MERGE would change is not worked out here.
        if statement.kind == "MERGE" or self.rows.run(affected, parameters, is_read=True).rows[0][0]:
            raise Refused(
                400,
                f"UPDATE or DELETE statement over table {project}.{name} would affect rows in the streaming buffer, "
                "which is not supported",
                reason="invalidQuery",
            )

    def _still_held(self, name: str) -> List[Tuple[float, int]]:
        since_s = self.time_s() - self.held_s
        self._held[name] = [entry for entry in self._held.get(name, []) if entry[0] > since_s]
        return self._held[name]

    def _numbers(self, sql: str) -> List[Any]:
        return [row[0] for row in self.rows.run(sql, {}, is_read=True).rows]
