"""Values of a row as JSON has them, read as BigQuery reads them from a file or an insertion.

https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-json#details_of_loading_json_data
"""

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, Callable, Dict

TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?)?\s*(?:(Z|z|UTC)|([+-])(\d\d)(?::?(\d\d))?)?\Z"
)


def read_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"expected a text, got {value!r}")


def read_whole(value: Any) -> int:
    number = read_number(value)
    if number != int(number):
        raise ValueError(f"expected a whole number, got {value!r}")
    return int(number)


def read_number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError(f"expected a number, got {value!r}")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"expected a number, got {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"expected a number, got {value!r}")
    return number


def read_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError(f"expected a number, got {value!r}")
    return float(value)


def read_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError(f"expected true or false, got {value!r}")


def read_timestamp(value: Any) -> datetime:
    """Return a time with its zone, UTC where none is given; a number is seconds since 1970."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=value)
    match = TIMESTAMP.match(value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"expected a time such as 2024-05-17 12:00:00 UTC, got {value!r}")
    day, clock, fraction, _, sign, hours, minutes = match.groups()
    micros = int((fraction or "").ljust(6, "0")[:6])
    try:
        local = datetime.strptime(f"{day} {clock or '00:00:00'}", "%Y-%m-%d %H:%M:%S").replace(microsecond=micros)
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        return (local - (-offset if sign == "-" else offset)).replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        raise ValueError(f"expected a time such as 2024-05-17 12:00:00 UTC, got {value!r}") from None


READERS: Dict[str, Callable[[Any], Any]] = {
    "STRING": read_text,
    "INTEGER": read_whole,
    "FLOAT": read_float,
    "NUMERIC": read_whole,
    "BOOLEAN": read_boolean,
    "TIMESTAMP": read_timestamp,
}


def read_value(value: Any, kind: str, *, repeated: bool = False) -> Any:
    """Return a value of BigQuery's type `kind`; a repeated one as a list, empty for null. Raises ValueError."""
    if not repeated:
        return None if value is None else READERS[kind](value)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"expected a list, got {value!r}")
    if None in value:
        raise ValueError("expected a list without nulls")
    return [READERS[kind](element) for element in value]
