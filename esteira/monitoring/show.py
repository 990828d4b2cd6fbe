"""Rows of the request log as people and scripts read them."""

import datetime
import decimal
import json
from typing import Any, Sequence

from rich.console import RenderableType

from esteira.formats import check_format, shortened
from esteira.monitoring.engine import Row
from esteira.tables import make_table

# A text longer than this is cut in a table; json gives all of it.
WIDEST = 60
REQUEST_ID = "request_id"
NUMBERS = (int, float, decimal.Decimal)


def show_rows(rows: Sequence[Row], format: str, command: str, *, empty: str) -> RenderableType:
    """Return the rows as a `table` or as `json`; `empty` is what is said where there are none."""
    check_format(format, command)
    if format == "json":
        return "[\n" + ",\n".join(row_json(row) for row in rows) + "\n]" if rows else "[]"
    if not rows:
        return empty
    columns = list(rows[0])
    right = [name for name in columns if all(is_number(row[name]) for row in rows)]
    return make_table(columns, [[cell(row[name]) for name in columns] for row in rows], right=right)


def is_number(value: Any) -> bool:
    return isinstance(value, NUMBERS) and not isinstance(value, bool)


def row_json(row: Row) -> str:
    fields = {name: plain(value) for name, value in row.items()}
    if fields.get(REQUEST_ID) is not None:
        # It has up to 19 digits, which whatever reads numbers as floats would round to another request's.
        fields[REQUEST_ID] = str(fields[REQUEST_ID])
    return json.dumps(fields, ensure_ascii=False)


def plain(value: Any) -> Any:
    """Return a value as JSON has it: times in ISO 8601, whole numbers of any size as they are."""
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    if isinstance(value, dict):
        return {name: plain(element) for name, element in value.items()}
    return value


def cell(value: Any) -> str:
    """Return a value as a table shows it; what a list holds, with commas between."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, (list, tuple)):
        return shortened(", ".join(map(cell, value)), WIDEST)
    if isinstance(value, dict):
        return shortened(json.dumps(plain(value), ensure_ascii=False), WIDEST)
    return shortened(str(plain(value)), WIDEST)
