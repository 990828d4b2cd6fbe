"""The rows of the stand-in of BigQuery: in DuckDB, in memory, where statements are run once they are translated.

DuckDB is loaded by the first row or statement: most of what a rehearsal asks for needs none.
"""

import threading
from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.warehouse.values import Json, duck_type, field_of, read_value

# Name and metadata of each table, as dataset.table.
Tables = Dict[str, Json]
Column = Tuple[str, str]


class Answer(NamedTuple):
    """What a statement gives: its columns and rows, and how many rows it has changed, None where it changes none."""

    fields: List[Json]
    rows: List[Any]
    changed: Optional[int] = None


@dataclass
class Rows:
    """The rows of a project's tables. `tables` is what is known of them elsewhere, and is followed here."""

    project: str
    tables: Tables
    lock: Any = field(default_factory=threading.RLock)
    _connection: Any = None
    _made: Dict[str, List[Column]] = field(default_factory=dict)

    def append(self, name: str, rows: List[Json]) -> None:
        """Write rows of JSON into a table, all or none. Raises RowError for a wrong one."""
        columns = self.tables[name]["schema"]["fields"]
        values = [checked_row(columns, row, number) for number, row in enumerate(rows)]
        if not values:
            return
        names = ", ".join(quoted(column["name"]) for column in columns)
        marks = ", ".join("?" for _ in columns)
        with self.lock:
            self._follow()
            self._connect().executemany(f"INSERT INTO {self.place(name)} ({names}) VALUES ({marks})", values)

    def read(self, name: str) -> Answer:
        """Return all rows of a table."""
        return self.run(f"SELECT * FROM {self.place(name)}", {}, is_read=True)

    def run(self, sql: str, parameters: Dict[str, Any], *, is_read: bool) -> Answer:
        """Run a statement of DuckDB's SQL. Refused with its message."""
        import duckdb

        with self.lock:
            self._follow()
            used = {key: value for key, value in parameters.items() if f"${key}" in sql}
            try:
                if not is_read:
                    counted = self._connect().execute(sql, used).fetchone()
                    return Answer([], [], int(counted[0]) if counted else None)
                found = self._connect().sql(sql, params=used or None)
                fields = [field_of(name, kind) for name, kind in zip(found.columns, found.types)]
                return Answer(fields, found.fetchall())
            except duckdb.Error as error:
                raise Refused(400, str(error).partition("\n")[0], reason="invalidQuery") from None

    def fields(self, sql: str, parameters: Dict[str, Any]) -> List[Json]:
        """Return the columns of a query that is not run."""
        return self.run(f"SELECT * FROM ({sql}) LIMIT 0", parameters, is_read=True).fields

    def count(self, name: str) -> Optional[Tuple[int, int]]:
        """Return how many rows and bytes a table holds, None for a view, and while no row has been written at all."""
        if self._connection is None or self.tables[name]["type"] == "VIEW":
            return None
        columns = self.tables[name]["schema"]["fields"]
        answer = self.run(f"SELECT COUNT(*) FROM {self.place(name)}", {}, is_read=True)
        return int(answer.rows[0][0]), self.size(name, {column["name"] for column in columns})

    def size(self, name: str, columns: Set[str]) -> int:
        """Return the bytes of some columns of a table. https://cloud.google.com/bigquery/pricing#data"""
        known = [column for column in self.tables[name]["schema"]["fields"] if column["name"] in columns]
        if not known:
            return 0
        sums = " + ".join(f"COALESCE(SUM({size_of(column)}), 0)" for column in known)
        return int(self.run(f"SELECT {sums} FROM {self.place(name)}", {}, is_read=True).rows[0][0])

    def _connect(self) -> Any:
        if self._connection is None:
            import duckdb

            self._connection = duckdb.connect(":memory:", config={"threads": 2})
            self._connection.execute(f"ATTACH ':memory:' AS {quoted(self.project)}")
            self._connection.execute(f"USE {quoted(self.project)}.main")
            self._connection.execute("SET TimeZone = 'UTC'")
        return self._connection

    def _follow(self) -> None:
        """Make, widen and drop tables as those that are known elsewhere."""
        wanted = {name: table for name, table in self.tables.items() if table["type"] != "VIEW"}
        for name in [name for name in self._made if name not in wanted]:
            self._connect().execute(f"DROP TABLE {self.place(name)}")
            del self._made[name]
        for name, table in wanted.items():
            columns = [(each["name"], duck_type(each)) for each in (table.get("schema") or {}).get("fields", [])]
            if name not in self._made and columns:
                self._make(name, columns)
            for column in [column for column in columns if column not in self._made[name]]:
                self._connect().execute(f"ALTER TABLE {self.place(name)} ADD COLUMN {declared(column)}")
                self._made[name].append(column)

    def make_dataset(self, name: str) -> None:
        self._connect().execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self.project)}.{quoted(name)}")

    def _make(self, name: str, columns: List[Column]) -> None:
        self.make_dataset(name.partition(".")[0])
        self._connect().execute(f"CREATE TABLE {self.place(name)} ({', '.join(map(declared, columns))})")
        self._made[name] = columns

    def place(self, name: str) -> str:
        dataset, _, table = name.partition(".")
        return f"{quoted(self.project)}.{quoted(dataset)}.{quoted(table)}"


def checked_row(columns: List[Json], row: Json, number: int) -> List[Any]:
    """Return a row's values in the order of the columns; ValueError as BigQuery tells what is wrong with it."""
    unknown = sorted(set(row) - {column["name"] for column in columns})
    if unknown:
        raise RowError(number, f"no such field: {unknown[0]}.", unknown[0])
    values = []
    for column in columns:
        absent: Any = [] if column.get("mode") == "REPEATED" else None
        given = row.get(column["name"])
        try:
            values.append(read_value(column, absent if given is None else given))
        except ValueError as error:
            raise RowError(number, str(error), column["name"]) from None
    return values


class RowError(ValueError):
    """A row that cannot be written: which one, and at which column."""

    def __init__(self, number: int, message: str, column: str) -> None:
        super().__init__(message)
        self.number = number
        self.column = column


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def declared(column: Column) -> str:
    return f"{quoted(column[0])} {column[1]}"


def size_of(column: Json) -> str:
    """Return the SQL of a value's size in bytes: a text has 2 and its UTF-8, a number 8 or 16."""
    name, kind = quoted(column["name"]), column["type"]
    fixed = {"NUMERIC": 16, "BIGNUMERIC": 32, "BOOLEAN": 1, "BOOL": 1}.get(kind, 8)
    if column.get("mode") == "REPEATED":
        each = "2 + strlen(x)" if kind in ("STRING", "JSON") else str(fixed)
        return f"COALESCE(list_sum([{each} for x in {name}]), 0)"
    return f"COALESCE(2 + strlen({name}), 0)" if kind in ("STRING", "JSON") else f"IF({name} IS NULL, 0, {fixed})"
