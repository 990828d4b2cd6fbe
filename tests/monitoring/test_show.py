import datetime
import decimal
import json
from typing import Any, Dict

import pytest
from rich.console import Console

from esteira.errors import SettingsError
from esteira.monitoring.show import show_rows

TIME = datetime.datetime(2026, 11, 27, 12, 0, 5, tzinfo=datetime.timezone.utc)
ROW: Dict[str, Any] = {
    "request_id": decimal.Decimal("4611686018427387904"),
    "time": TIME,
    "text": 'two\nlines of "a film"',
    "confidence": 0.87654,
    "probabilities": [0.1, 0.9],
    "error": None,
}


def printed(shown: Any) -> str:
    console = Console(width=400)
    with console.capture() as capture:
        console.print(shown)
    return capture.get()


def test_a_table_has_one_line_a_row_and_numbers_at_the_right() -> None:
    lines = printed(show_rows([ROW, {**ROW, "confidence": 0.5}], "table", "make requests", empty="none")).splitlines()
    assert lines[0].split() == ["request_id", "time", "text", "confidence", "probabilities", "error"]
    assert '2026-11-27 12:00:05  two lines of "a film"       0.877  0.100, 0.900   -' in lines[1]
    assert len(lines) == 3


def test_a_day_is_shown_as_it_is() -> None:
    row = {"day": datetime.date(2026, 11, 27), "labels": ["positive", "ação"], "found": True}
    assert printed(show_rows([row], "table", "make daily", empty="none")).splitlines() == [
        "day         labels          found",
        "2026-11-27  positive, ação  yes",
    ]


def test_json_holds_all_of_a_row() -> None:
    text = "x" * 500
    shown = json.loads(str(show_rows([{**ROW, "text": text}], "json", "make requests", empty="none")))
    assert shown == [
        {
            "request_id": "4611686018427387904",
            "time": "2026-11-27T12:00:05+00:00",
            "text": text,
            "confidence": 0.87654,
            "probabilities": [0.1, 0.9],
            "error": None,
        }
    ]


def test_no_rows_are_said_to_be_none() -> None:
    assert show_rows([], "table", "make requests", empty="No request yet.") == "No request yet."
    assert show_rows([], "json", "make requests", empty="No request yet.") == "[]"


def test_an_unknown_form_is_told() -> None:
    with pytest.raises(SettingsError, match="FORMAT=xml: expected table or json. Run: make requests FORMAT=json"):
        show_rows([ROW], "xml", "make requests", empty="")
