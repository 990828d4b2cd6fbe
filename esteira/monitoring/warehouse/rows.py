"""Appending rows of JSON values to a table of DuckDB."""

from itertools import islice
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping

from esteira.errors import WarehouseError
from esteira.monitoring.row_values import read_value
from esteira.monitoring.warehouse.tables import TYPES, column_types, split_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH = 20_000
KINDS = {duckdb_type: kind for kind, duckdb_type in TYPES.items()}


def insert_rows(connection: "DuckDBPyConnection", table: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Append rows and return how many, in the transaction that the caller has begun. Raises WarehouseError."""
    columns = column_types(connection, table)
    if not columns:
        raise WarehouseError(
            f"{table}: no such table. Expected one of sql/*.json, or that of log.ai_platform in esteira.toml."
        )
    iterator, count = iter(rows), 0
    while True:
        batch = list(islice(iterator, BATCH))
        if not batch:
            return count
        insert_batch(connection, table, columns, batch, count)
        count += len(batch)


def insert_batch(
    connection: "DuckDBPyConnection", table: str, columns: Dict[str, str], rows: List[Mapping[str, Any]], start: int
) -> None:
    import pyarrow

    for index, row in enumerate(rows):
        unknown = sorted(set(row) - set(columns))
        if unknown:
            raise WarehouseError(
                f"{table}: row {start + index + 1}: {unknown[0]}: no such column. Expected {', '.join(columns)}."
            )
    arrays = {name: pyarrow.array(read_column(table, rows, name, kind, start)) for name, kind in columns.items()}
    connection.register("batch", pyarrow.table(arrays))
    try:
        dataset, name = split_name(table)
        values = ", ".join(f'CAST("{column}" AS {kind})' for column, kind in columns.items())
        connection.execute(f'INSERT INTO "{dataset}"."{name}" SELECT {values} FROM batch')
    finally:
        connection.unregister("batch")


def read_column(table: str, rows: List[Mapping[str, Any]], name: str, duckdb_type: str, start: int) -> List[Any]:
    repeated = duckdb_type.endswith("[]")
    kind = KINDS[duckdb_type[:-2] if repeated else duckdb_type]
    values = []
    for index, row in enumerate(rows):
        try:
            value = read_value(row.get(name), kind, repeated=repeated)
        except ValueError as error:
            raise WarehouseError(f"{table}: row {start + index + 1}: {name}: {error}.") from None
        # Arrow has no whole numbers of 38 digits.
        values.append(str(value) if kind == "NUMERIC" and value is not None else value)
    return values
