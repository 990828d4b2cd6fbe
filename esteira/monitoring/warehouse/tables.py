"""The tables of the warehouse on one machine, made from the same schemas as those in BigQuery."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Tuple

from esteira.errors import WarehouseError
from esteira.settings.serving import OWN_DATASET, is_own_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from esteira.monitoring.warehouse.database import Place

AI_PLATFORM = "ai_platform_log"
JOURNAL = "journal"
# NUMERIC holds whole numbers here: the ids of requests.
TYPES = {
    "STRING": "VARCHAR",
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "NUMERIC": "DECIMAL(38,0)",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
}
# What is known of each file of the journal: see ingest.py.
JOURNAL_TABLES = (
    "CREATE SCHEMA IF NOT EXISTS journal",
    "CREATE TABLE IF NOT EXISTS journal.segments (name VARCHAR PRIMARY KEY, loaded_bytes BIGINT, models VARCHAR)",
    "CREATE TABLE IF NOT EXISTS journal.damage (name VARCHAR, position BIGINT, size_bytes BIGINT)",
)


def read_schema(root: Path, table: str) -> List[Dict[str, Any]]:
    """Return the columns of a table as BigQuery has them: name, type, mode."""
    columns: List[Dict[str, Any]] = json.loads((root / "sql" / f"{table}.json").read_text(encoding="utf-8"))
    return columns


def make_tables(connection: "DuckDBPyConnection", place: "Place") -> None:
    """Make the tables that are not there, and add the columns that a later schema has.

    Raises WarehouseError if the table for AI Platform's rows is one of ours: it would get their columns, too.
    """
    if place.ai_platform:
        check_not_ours(place.ai_platform)
    for statement in JOURNAL_TABLES:
        connection.execute(statement)
    for file in sorted((place.root / "sql").glob("*.json")):
        if file.stem != AI_PLATFORM:
            make_table(connection, file.stem, read_schema(place.root, file.stem))
    if place.ai_platform:
        make_table(connection, place.ai_platform, read_schema(place.root, AI_PLATFORM))


def check_not_ours(table: str) -> None:
    dataset, name = split_name(table)
    if is_own_table(f"{dataset}.{name}") or dataset.lower() == JOURNAL:
        raise WarehouseError(
            f"log.ai_platform: {table} is of the request log itself.\n"
            "Expected a table of another name. Change it under [log] in esteira.toml, such as to: "
            f'ai_platform = "{OWN_DATASET}.{AI_PLATFORM}"'
        )


def make_table(connection: "DuckDBPyConnection", table: str, columns: List[Dict[str, Any]]) -> None:
    dataset, name = split_name(table)
    there = column_types(connection, table)
    if not there:
        wanted = ", ".join(f'"{column["name"]}" {type_of(column)}' for column in columns)
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{dataset}"')
        connection.execute(f'CREATE TABLE "{dataset}"."{name}" ({wanted})')
        return
    for column in columns:
        if column["name"] not in there:
            connection.execute(f'ALTER TABLE "{dataset}"."{name}" ADD COLUMN "{column["name"]}" {type_of(column)}')


def type_of(column: Dict[str, Any]) -> str:
    return TYPES[column["type"]] + ("[]" if column.get("mode") == "REPEATED" else "")


def split_name(table: str, own: str = OWN_DATASET) -> Tuple[str, str]:
    """Return the dataset and the name of a table; our `own` where none is given."""
    dataset, _, name = table.rpartition(".")
    return dataset or own, name


def column_types(connection: "DuckDBPyConnection", table: str) -> Dict[str, str]:
    """Return the columns of a table or view with DuckDB's types, none if there is no such table."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name = ? AND table_name = ? AND database_name = current_database() ORDER BY column_index",
        list(split_name(table)),
    ).fetchall()
    return dict(rows)
