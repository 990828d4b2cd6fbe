"""Values are read as BigQuery reads them."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from esteira.monitoring.row_values import read_value

NOON = datetime(2024, 5, 17, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2024-05-17 12:00:00 UTC", NOON),
        ("2024-05-17T12:00:00Z", NOON),
        ("2024-05-17 12:00:00", NOON),
        ("2024-05-17 14:30:00+02:30", NOON),
        ("2024-05-17 12:00:00.000001999 UTC", NOON + timedelta(microseconds=1)),
        ("2024-05-17", NOON - timedelta(hours=12)),
        (NOON.timestamp(), NOON),
        (NOON, NOON),
    ],
)
def test_times_have_a_zone(value: Any, read: datetime) -> None:
    assert read_value(value, "TIMESTAMP") == read


@pytest.mark.parametrize(
    "value", ["2024-13-01", "now", "2024-05-17 25:00:00", True, [], "0000-01-01", 1e300, float("inf")]
)
def test_what_is_no_time_is_told(value: Any) -> None:
    with pytest.raises(ValueError, match="expected a time such as"):
        read_value(value, "TIMESTAMP")


@pytest.mark.parametrize(
    ("value", "kind", "read"),
    [
        ("9223372036854775808", "NUMERIC", 2**63),
        (2.0, "INTEGER", 2),
        ("0.5", "FLOAT", 0.5),
        ("true", "BOOLEAN", True),
        (None, "STRING", None),
    ],
)
def test_numbers_may_be_given_as_texts(value: Any, kind: str, read: Any) -> None:
    assert read_value(value, kind) == read


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *((1, "STRING"), ("1.5", "NUMERIC"), ("NaN", "NUMERIC"), (True, "INTEGER"), ("yes", "BOOLEAN")),
        *(("\udc80", "STRING"), (10**29, "NUMERIC"), (2**63, "INTEGER"), (10**400, "FLOAT"), ("x", "FLOAT")),
    ],
)
def test_what_does_not_fit_is_told(value: Any, kind: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        read_value(value, kind)


def test_a_repeated_value_is_never_null() -> None:
    assert read_value(None, "STRING", repeated=True) == []
    with pytest.raises(ValueError, match="expected a list without nulls"):
        read_value(["a", None], "STRING", repeated=True)
