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


# https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types
INT64 = 2**63
NUMERIC_DIGITS = 29
SHOWN = 80


def read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a text, got {shown(value)}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"expected a text, got half of a surrogate pair: {shown(value)}") from None
    return value


def read_integer(value: Any) -> int:
    number = read_whole(value)
    if not -INT64 <= number < INT64:
        raise ValueError(f"expected a whole number of 64 bits, got {shown(value)}")
    return number


def read_whole(value: Any) -> int:
    """Return a whole number of no more digits than a NUMERIC has before its point."""
    number = read_number(value)
    if number.adjusted() >= NUMERIC_DIGITS:
        raise ValueError(f"expected a number of {NUMERIC_DIGITS} digits at most, got {shown(value)}")
    if number != int(number):
        raise ValueError(f"expected a whole number, got {shown(value)}")
    return int(number)


def read_number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError(f"expected a number, got {shown(value)}")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"expected a number, got {shown(value)}") from None
    if not number.is_finite():
        raise ValueError(f"expected a number, got {shown(value)}")
    return number


def read_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError(f"expected a number, got {shown(value)}")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise ValueError(f"expected a number, got {shown(value)}") from None


def shown(value: Any) -> str:
    """Return a value as a message shows it: whatever it holds can be printed."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def read_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError(f"expected true or false, got {shown(value)}")


def read_timestamp(value: Any) -> datetime:
    """Return a time with its zone, UTC where none is given; a number is seconds since 1970."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=value)
        return read_written_time(value)
    except (ValueError, OverflowError):
        raise ValueError(f"expected a time such as 2024-05-17 12:00:00 UTC, got {shown(value)}") from None


def read_written_time(value: Any) -> datetime:
    """Return a time that is written as a text. Raises ValueError or OverflowError, without words, if it is none."""
    match = TIMESTAMP.match(value) if isinstance(value, str) else None
    if not match:
        raise ValueError
    day, clock, fraction, _, sign, hours, minutes = match.groups()
    micros = int((fraction or "").ljust(6, "0")[:6])
    local = datetime.strptime(f"{day} {clock or '00:00:00'}", "%Y-%m-%d %H:%M:%S").replace(microsecond=micros)
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return (local - (-offset if sign == "-" else offset)).replace(tzinfo=timezone.utc)


READERS: Dict[str, Callable[[Any], Any]] = {
    "STRING": read_text,
    "INTEGER": read_integer,
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
        raise ValueError(f"expected a list, got {shown(value)}")
    if None in value:
        raise ValueError("expected a list without nulls")
    return [READERS[kind](element) for element in value]
