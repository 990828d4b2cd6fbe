"""Values as BigQuery's REST API writes them, and as Python has them.

https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults (schema, rows)
"""

import base64
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Callable, Dict, List, Union

from esteira.google.api import Json
from esteira.monitoring.engine import Parameter, Parameters, Row

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
INT64 = 2**63


def wire_parameters(parameters: Parameters) -> List[Json]:
    """Return a query's parameters as a request has them."""
    return [{"name": name, **wire_parameter(value)} for name, value in parameters.items()]


def wire_parameter(value: Parameter) -> Json:
    """Return the type and the value of a parameter. An empty list is one of texts."""
    if isinstance(value, list):
        kinds = {kind_of(entry) for entry in value} or {"STRING"}
        kind = "NUMERIC" if kinds == {"INT64", "NUMERIC"} else kinds.pop()
        values = {"arrayValues": [{"value": str(entry)} for entry in value]}
        return {"parameterType": {"type": "ARRAY", "arrayType": {"type": kind}}, "parameterValue": values}
    return {"parameterType": {"type": kind_of(value)}, "parameterValue": {"value": str(value)}}


def kind_of(value: Union[str, int]) -> str:
    """Return the type of a value; a number that is too great for INT64, as of a request, is a NUMERIC."""
    if isinstance(value, str):
        return "STRING"
    return "INT64" if -INT64 <= value < INT64 else "NUMERIC"


def read_row(fields: List[Json], row: Json) -> Row:
    """Return a row by the names of its columns."""
    return {field["name"]: read_value(field, cell.get("v")) for field, cell in zip(fields, row["f"])}


def read_value(field: Json, value: Any) -> Any:
    """Return a cell's value: a list of a REPEATED column, a dict of a RECORD, None of a NULL."""
    if field.get("mode") == "REPEATED":
        single = {**field, "mode": "NULLABLE"}
        return [read_value(single, entry.get("v")) for entry in value or []]
    if value is None:
        return None
    if field["type"] in ("RECORD", "STRUCT"):
        return read_row(field["fields"], value)
    return READERS.get(field["type"], str)(value)


def read_time(text: str) -> datetime:
    """Return the time, UTC, of whole microseconds since 1970, as formatOptions.useInt64Timestamp asks for them."""
    return EPOCH + timedelta(microseconds=int(text))


READERS: Dict[str, Callable[[str], Any]] = {
    "INTEGER": int,
    "INT64": int,
    "FLOAT": float,
    "FLOAT64": float,
    "NUMERIC": Decimal,
    "BIGNUMERIC": Decimal,
    "BOOLEAN": lambda text: text == "true",
    "BOOL": lambda text: text == "true",
    "BYTES": base64.b64decode,
    "TIMESTAMP": read_time,
    "DATE": date.fromisoformat,
    "DATETIME": datetime.fromisoformat,
    "TIME": time.fromisoformat,
}
