"""The request log on one machine: a DuckDB database that takes BigQuery's SQL.

It is opened for as long as a command needs it, by one process at a time. What servers have written to the journal
is loaded first, so that whoever opens it sees every request that was answered.
"""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Iterator, List, Mapping, NamedTuple, Optional

from esteira.errors import WarehouseError
from esteira.monitoring.engine import Parameters, Row
from esteira.monitoring.journal.segments import JOURNAL
from esteira.monitoring.warehouse.connect import connect, quoted, telling
from esteira.monitoring.warehouse.folder import private_folder, writable
from esteira.monitoring.warehouse.turn import held
from esteira.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WAREHOUSE = "warehouse"
DATABASE = "warehouse.duckdb"
DATASET = "esteira"
# What DuckDB writes out where memory does not suffice, and what a rewriting that was killed left.
SPILL, REWRITTEN = "spill", "rewritten.duckdb"
WAIT_S = 120.0


class Place(NamedTuple):
    """Where a warehouse lies, and what it has tables for.

    `root` is the repository, whose sql/ has their schemas. Rows older than `expiry_days` go; None keeps them.
    `ai_platform` is a further table, dataset.table, in AI Platform's form.
    """

    folder: Path
    root: Path
    expiry_days: Optional[int] = None
    ai_platform: str = ""

    @property
    def journal(self) -> Path:
        return self.folder / JOURNAL


def place_of(settings: Settings) -> Place:
    return Place(settings.state / WAREHOUSE, settings.root, settings.log.expiry_days, settings.log.ai_platform)


@contextmanager
def open_warehouse(settings: Settings, *, wait_s: float = WAIT_S) -> Iterator["Warehouse"]:
    """Give the request log of the environment `local`, with all in it that was answered. Raises WarehouseError."""
    with open_place(place_of(settings), wait_s=wait_s) as warehouse:
        yield warehouse


@contextmanager
def open_place(place: Place, *, wait_s: float = WAIT_S, limit: Optional[int] = None) -> Iterator["Warehouse"]:
    """Give the warehouse of a folder, with what its journal holds; no more than about `limit` records of it."""
    from esteira.monitoring.warehouse.ingest import ingest

    with writable(place.folder):
        private_folder(place.folder)
        private_folder(place.journal)
    with held(place.folder, wait_s):
        warehouse = Warehouse(place, wait_s)
        try:
            warehouse.loaded = ingest(warehouse, limit)
            warehouse.use_all_processors()
            yield warehouse
        finally:
            warehouse.close()


class Warehouse:
    """An Engine over DuckDB. `loaded` is how many requests came from the journal when it was opened."""

    dataset = DATASET

    def __init__(self, place: Place, wait_s: float) -> None:
        self.place = place
        self.file = place.folder / DATABASE
        self.loaded = 0
        self._wait_s = wait_s
        with writable(place.folder):
            shutil.rmtree(place.folder / SPILL, ignore_errors=True)
            for left in place.folder.glob(f"{REWRITTEN}*"):
                left.unlink()
        self.connection = self._connect()

    def _connect(self) -> "DuckDBPyConnection":
        from esteira.monitoring.warehouse.tables import make_tables

        connection = connect(self.file, self.place.folder / SPILL, self._wait_s)
        try:
            with writable(self.place.folder):
                self.file.chmod(0o600)
            with telling(f"make the tables of {self.file}", self.file):
                make_tables(connection, self.place)
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        self.connection.close()

    def use_all_processors(self) -> None:
        self.connection.execute(f"SET threads = {os.cpu_count() or 1}")

    def query(self, what: str, sql: str, parameters: Optional[Parameters] = None) -> List[Row]:
        """Run one statement of BigQuery's SQL. Raises WarehouseError."""
        from esteira.monitoring.translate.statement import translate

        return self.run(what, translate(sql), parameters)

    def run(self, what: str, sql: str, parameters: Optional[Mapping[str, Any]] = None) -> List[Row]:
        """Run one statement of DuckDB's SQL, otherwise as query()."""
        from duckdb import ExpectedResultType

        with telling(what, self.file):
            statements = self.connection.extract_statements(sql)
            if len(statements) != 1:
                raise WarehouseError(f"{what}: expected one statement, got {len(statements)}.")
            result = self.connection.execute(statements[0], dict(parameters or {}))
            if statements[0].expected_result_type != [ExpectedResultType.QUERY_RESULT]:
                return []
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row)) for row in result.fetchall()]

    @contextmanager
    def transaction(self, what: str) -> Iterator["DuckDBPyConnection"]:
        """Give the connection for what is done as a whole or not at all. Raises WarehouseError."""
        with telling(what, self.file):
            self.connection.begin()
            try:
                yield self.connection
                self.connection.commit()
            except BaseException:
                rollback(self.connection)
                raise

    def columns(self, table: str) -> List[str]:
        from esteira.monitoring.warehouse.tables import column_types

        with telling(f"look at {table}", self.file):
            return list(column_types(self.connection, table))

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Append rows to a table of the dataset, or to dataset.table; all of them or none. Raises WarehouseError."""
        from esteira.monitoring.warehouse.rows import insert_rows

        with self.transaction(f"write to {table}") as connection:
            return insert_rows(connection, table, rows)

    def scanned_bytes(self, sql: str, parameters: Optional[Parameters] = None) -> Optional[int]:
        return None

    def rewrite(self) -> None:
        """Write the database anew, so that what was deleted is in none of its bytes. Raises WarehouseError."""
        rewritten = self.place.folder / REWRITTEN
        with telling(f"write {self.file} anew", self.file), writable(self.place.folder):
            name = self.connection.execute("SELECT current_database()").fetchall()[0][0]
            self.connection.execute(f"ATTACH '{quoted(rewritten)}' AS rewritten")
            self.connection.execute(f'COPY FROM DATABASE "{name}" TO rewritten')
            self.connection.execute("DETACH rewritten")
            self.connection.execute("CHECKPOINT")
            self.connection.close()
            # Its changes are in the file: they would be made to the new one otherwise.
            self.file.with_name(f"{self.file.name}.wal").unlink() if has_wal(self.file) else None
            os.replace(rewritten, self.file)
            shutil.rmtree(self.place.folder / SPILL, ignore_errors=True)
        self.connection = self._connect()


def has_wal(file: Path) -> bool:
    return file.with_name(f"{file.name}.wal").exists()


def rollback(connection: "DuckDBPyConnection") -> None:
    """Undo a transaction; DuckDB has done so itself where it failed at the commit."""
    import duckdb

    try:
        connection.rollback()
    except duckdb.Error:
        return
