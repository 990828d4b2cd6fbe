"""`make load-log`: rows as BigQuery exports them."""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from esteira.errors import WarehouseError
from esteira.monitoring.load_rows import load_rows
from esteira.monitoring.warehouse.database import open_place
from tests.monitoring.logged import place_in

TABLE = "legacy.answers"
LOGGED = {
    "endpoint": "projects/1/locations/europe-west1/endpoints/2",
    "deployed_model_id": "3",
    "logging_time": "2024-05-17 12:00:00.5 UTC",
    "request_id": "1234567890123456789",
    "request_payload": ['{"text": "é 🎉"}'],
    "response_payload": ['{"label": "a"}'],
}
LEGACY = {
    "model": "sentiment",
    "model_version": "v1",
    "time": "2020-01-02T03:04:05Z",
    "raw_data": '{"instances": [{"text": "a"}]}',
    "raw_prediction": None,
    "groundtruth": '{"label": "b"}',
}


def file_of(folder: Path, *rows: Any) -> Path:
    file = folder / "rows.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return file


def test_rows_of_the_request_log_are_loaded(tmp_path: Path) -> None:
    with open_place(place_in(tmp_path)) as warehouse:
        assert load_rows(warehouse, file_of(tmp_path, LOGGED, "", LOGGED), "") == ("request_log", 2)
        rows = warehouse.query("read", "SELECT * FROM `esteira.request_log`")
    assert rows[0]["request_id"] == 1234567890123456789
    assert rows[0]["logging_time"] == datetime(2024, 5, 17, 12, 0, 0, 500000, tzinfo=timezone.utc)
    assert rows[0]["request_payload"] == ['{"text": "é 🎉"}']


def test_rows_in_ai_platforms_form_go_to_the_table_that_is_set(tmp_path: Path) -> None:
    with open_place(place_in(tmp_path, ai_platform=TABLE)) as warehouse:
        assert load_rows(warehouse, file_of(tmp_path, LEGACY), TABLE) == (TABLE, 1)
        (row,) = warehouse.query("read", f"SELECT * FROM `{TABLE}`")
    assert row == {**LEGACY, "time": datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone.utc)}


def test_without_a_table_for_ai_platforms_form_it_is_told(tmp_path: Path) -> None:
    with open_place(place_in(tmp_path)) as warehouse, pytest.raises(WarehouseError) as told:
        load_rows(warehouse, file_of(tmp_path, LEGACY), "")
    assert "has rows in AI Platform's form, and no table is set for them." in str(told.value)


def test_bad_lines_are_told_with_their_numbers_and_nothing_is_loaded(tmp_path: Path) -> None:
    bad = (
        *("{", "[]", {**LOGGED, "request_id": "x"}, {**LOGGED, "extra": 1}, {**LOGGED, "logging_time": None}),
        {**LOGGED, "request_payload": "a"},
    )
    file = file_of(tmp_path, LOGGED, *bad, "")
    with open_place(place_in(tmp_path)) as warehouse:
        with pytest.raises(WarehouseError) as told:
            load_rows(warehouse, file, "")
        assert warehouse.query("count", "SELECT COUNT(*) AS n FROM `esteira.request_log`") == [{"n": 0}]
    lines = str(told.value).split("\n")
    assert lines[0].startswith(f"{file}:2: is no JSON: ")
    columns = ", ".join((*LOGGED, "model_version", "release_id"))
    assert lines[1:] == [
        f"{file}:3: expected an object, got []",
        f"{file}:4: request_id: expected a number, got 'x'",
        f"{file}:5: extra: no such column; expected {columns}",
        f"{file}:6: logging_time: missing",
        f"{file}:7: request_payload: expected a list, got 'a'",
        "Expected rows of request_log (sql/request_log.json). Nothing was loaded. Mend the lines.",
    ]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"request_payload": ["\ud800"]}, "request_payload: expected a text, got half of a surrogate pair: '\\ud800'"),
        ({"\ud800": 1}, "'\\ud800': no such column; expected endpoint"),
        ({"logging_time": 1e300}, "logging_time: expected a time such as 2024-05-17 12:00:00 UTC, got 1e+300"),
        ({"logging_time": float("nan")}, "logging_time: expected a time such as 2024-05-17 12:00:00 UTC, got nan"),
        ({"request_id": 10**29}, f"request_id: expected a number of 29 digits at most, got {10**29}"),
        ({"request_id": "1e999999999"}, "request_id: expected a number of 29 digits at most, got '1e999999999'"),
        ({"request_id": -5}, "request_id: expected a number from 0, got -5"),
        ({"endpoint": [["x" * 100]]}, f"endpoint: expected a text, got [['{'x' * 77}…"),
    ],
)
def test_a_value_that_no_table_holds_is_told_with_its_line(tmp_path: Path, fields: Any, fault: str) -> None:
    file = file_of(tmp_path, LOGGED, {**LOGGED, **fields})
    with open_place(place_in(tmp_path)) as warehouse, pytest.raises(WarehouseError) as told:
        load_rows(warehouse, file, "")
    assert str(told.value).startswith(f"{file}:2: {fault}")
    str(told.value).encode("utf-8")


def test_lists_within_lists_without_end_are_told(tmp_path: Path) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    file = file_of(tmp_path, deep, json.dumps(LOGGED).replace('"3"', deep), LOGGED)
    with open_place(place_in(tmp_path)) as warehouse, pytest.raises(WarehouseError) as told:
        load_rows(warehouse, file, "")
    assert str(told.value).split("\n")[:2] == [
        f"{file}:1: has too many lists or objects within each other",
        f"{file}:2: has too many lists or objects within each other",
    ]


def test_the_greatest_request_id_is_loaded(tmp_path: Path) -> None:
    with open_place(place_in(tmp_path)) as warehouse:
        load_rows(warehouse, file_of(tmp_path, {**LOGGED, "request_id": str(10**29 - 1)}), "")
        assert warehouse.query("read", "SELECT request_id FROM `esteira.request_log`") == [{"request_id": 10**29 - 1}]


def test_many_bad_lines_are_counted(tmp_path: Path) -> None:
    with open_place(place_in(tmp_path)) as warehouse, pytest.raises(WarehouseError) as told:
        load_rows(warehouse, file_of(tmp_path, *[{"request_id": 1}] * 12), "")
    lines = str(told.value).split("\n")
    assert (len(lines), lines[10]) == (12, "and 2 more lines")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "FILE={0}: cannot be read: No such file or directory."),
        ("", "{0}: has no rows."),
        ("x", "{0}: has no rows."),
    ],
)
def test_a_file_without_rows_is_told(tmp_path: Path, content: Any, message: str) -> None:
    file = tmp_path / "rows.jsonl"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with open_place(place_in(tmp_path)) as warehouse, pytest.raises(WarehouseError) as told:
        load_rows(warehouse, file, "")
    assert str(told.value).startswith(message.format(file))
