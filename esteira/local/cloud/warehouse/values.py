"""Values of the stand-in of BigQuery: from JSON into DuckDB, and from there as the REST API writes them.

https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types
"""

import base64
import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, Callable, Dict, List

Json = Dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Of BigQuery's types, under either of their names, as DuckDB has them.
TYPES = {
    "STRING": "VARCHAR",
    "JSON": "JSON",
    "BYTES": "BLOB",
    "INTEGER": "BIGINT",
    "INT64": "BIGINT",
    "FLOAT": "DOUBLE",
    "FLOAT64": "DOUBLE",
    "NUMERIC": "DECIMAL(38,9)",
    "BIGNUMERIC": "DECIMAL(38,9)",
    "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMPTZ",
    "DATE": "DATE",
    "DATETIME": "TIMESTAMP",
    "TIME": "TIME",
}
# Back again, by what a type of DuckDB begins with.
KINDS = {
    "VARCHAR": "STRING",
    "JSON": "JSON",
    "BLOB": "BYTES",
    "DOUBLE": "FLOAT",
    "FLOAT": "FLOAT",
    "DECIMAL": "NUMERIC",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "TIMESTAMP": "DATETIME",
    "DATE": "DATE",
    "TIME": "TIME",
    "HUGEINT": "NUMERIC",
    "UHUGEINT": "NUMERIC",
    "UBIGINT": "NUMERIC",
}


def duck_type(column: Json) -> str:
    """Return the type of a column in DuckDB."""
    if column["type"] in ("RECORD", "STRUCT"):
        inner = ", ".join(f'"{field["name"]}" {duck_type(field)}' for field in column["fields"])
        kind = f"STRUCT({inner})"
    else:
        kind = TYPES[column["type"]]
    return f"{kind}[]" if column.get("mode") == "REPEATED" else kind


def field_of(name: str, kind: Any) -> Json:
    """Return a column as BigQuery describes it from a type of DuckDB."""
    if kind.id == "list":
        return {**field_of(name, kind.children[0][1]), "mode": "REPEATED"}
    if kind.id == "struct":
        fields = [field_of(child, below) for child, below in kind.children]
        return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": fields}
    text = str(kind)
    known = next((found for beginning, found in KINDS.items() if text.startswith(beginning)), "INTEGER")
    return {"name": name, "type": known, "mode": "NULLABLE"}


def read_value(column: Json, value: Any) -> Any:
    """Return a value of JSON as DuckDB takes it. ValueError in BigQuery's words for one that is not of the type."""
    if column.get("mode") == "REPEATED":
        if not isinstance(value, list):
            raise ValueError(f"Repeated field must be imported as a JSON array. Field: {column['name']}.")
        return [read_value({**column, "mode": "REQUIRED"}, entry) for entry in value]
    if value is None:
        if column.get("mode") == "REQUIRED":
            raise ValueError(f"Missing required field: {column['name']}.")
        return None
    if isinstance(value, list):
        raise ValueError(f"Array specified for non-repeated field: {column['name']}.")
    try:
        return (PARSERS.get(column["type"]) or text_of)(value)
    except (ValueError, TypeError, InvalidOperation):
        raise ValueError(f"Cannot convert value to {column['type'].lower()} (bad value): {value}") from None


def text_of(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise ValueError
    return str(value).lower() if isinstance(value, bool) else str(value)


def time_of(value: Any) -> datetime:
    """Return a time, UTC, of seconds since 1970 or of a text such as 2026-11-22T21:30:41Z."""
    if isinstance(value, (int, float)):
        return EPOCH + timedelta(microseconds=round(value * 1e6))
    text = value.strip().replace(" UTC", "").rstrip("Z").replace("T", " ")
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def truth_of(value: Any) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise ValueError
    return str(value).lower() == "true"


def whole_of(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return int(value)


PARSERS: Dict[str, Callable[[Any], Any]] = {
    "INTEGER": whole_of,
    "INT64": whole_of,
    "FLOAT": float,
    "FLOAT64": float,
    "NUMERIC": lambda value: Decimal(str(value)),
    "BIGNUMERIC": lambda value: Decimal(str(value)),
    "BOOLEAN": truth_of,
    "BOOL": truth_of,
    "BYTES": base64.b64decode,
    "TIMESTAMP": time_of,
    "DATE": date.fromisoformat,
    "JSON": lambda value: value if isinstance(value, str) else json.dumps(value),
}


def wire_row(fields: List[Json], row: Any, exact: bool) -> Json:
    """Return a row as an answer has it; `exact` is formatOptions.useInt64Timestamp."""
    return {"f": [{"v": wire(field, value, exact)} for field, value in zip(fields, row)]}


def wire(field: Json, value: Any, exact: bool) -> Any:
    if field.get("mode") == "REPEATED":
        return [{"v": wire({**field, "mode": "NULLABLE"}, entry, exact)} for entry in value or []]
    if value is None:
        return None
    if field["type"] == "RECORD":
        return wire_row(field["fields"], [value[below["name"]] for below in field["fields"]], exact)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime) and field["type"] == "TIMESTAMP":
        micros = (value - EPOCH) // timedelta(microseconds=1)
        return str(micros) if exact else repr(micros / 1e6)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value)
