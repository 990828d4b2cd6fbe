"""The warehouse of one machine: BigQuery's SQL over DuckDB, one process at a time."""

import subprocess
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from esteira.errors import WarehouseError
from esteira.monitoring.warehouse.database import DATABASE, open_place, open_warehouse
from esteira.settings import Settings
from tests.conftest import REPOSITORY
from tests.monitoring.logged import logged, opened_log, place_in, write

HOLD = """
import sys
from pathlib import Path
from esteira.monitoring.warehouse.database import open_place
from tests.monitoring.logged import place_in

with open_place(place_in(Path(sys.argv[1]))):
    print("open", flush=True)
    sys.stdin.read()
"""
HOLD_THE_FILE = """
import sys, duckdb

connection = duckdb.connect(sys.argv[1] + "/warehouse/warehouse.duckdb")
print("open", flush=True)
sys.stdin.read()
"""


def test_the_settings_say_where_it_lies(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        assert warehouse.file == settings.state / "warehouse" / DATABASE
        assert warehouse.dataset == "esteira"
    assert {path.name for path in warehouse.file.parent.iterdir()} == {"journal", DATABASE}


def test_values_are_bound_and_never_rendered(tmp_path: Path) -> None:
    text = "'); DROP TABLE esteira.request_log; --"
    parameters: Dict[str, Any] = {"text": text, "number": 2, "texts": ["b", "a"]}
    with open_place(place_in(tmp_path)) as warehouse:
        sql = "SELECT @text AS text, @number AS number, x FROM UNNEST(@texts) AS x ORDER BY x"
        rows = warehouse.query("try it", sql, parameters)
    assert rows == [{"text": text, "number": 2, "x": one} for one in ("a", "b")]


def test_rows_of_every_type_are_inserted_and_read_back(tmp_path: Path) -> None:
    row = {
        "endpoint": "e ✓",
        "deployed_model_id": None,
        "logging_time": "2024-05-17 12:00:00.123456 UTC",
        "request_id": str(2**63),
        "request_payload": ['{"text": "a"}'],
        "response_payload": None,
    }
    with open_place(place_in(tmp_path)) as warehouse:
        assert warehouse.insert("request_log", [row, {"request_id": 1}]) == 2
        rows = warehouse.query("read", "SELECT * FROM `esteira.request_log` ORDER BY request_id DESC")
        assert warehouse.columns("request_log")[:3] == ["endpoint", "deployed_model_id", "logging_time"]
        assert warehouse.columns("nothing") == []
        assert warehouse.scanned_bytes("SELECT 1") is None
    assert rows[0] == {
        **row,
        "logging_time": datetime(2024, 5, 17, 12, 0, 0, 123456, tzinfo=timezone.utc),
        "request_id": Decimal(2**63),
        "response_payload": [],
        "model_version": None,
        "release_id": None,
    }
    assert rows[1]["request_payload"] == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"requestid": 1}, "request_log: row 2: requestid: no such column. Expected endpoint, deployed_model_id, "),
        ({"request_id": 1.5}, "request_log: row 2: request_id: expected a whole number, got 1.5."),
        ({"logging_time": "soon"}, "request_log: row 2: logging_time: expected a time such as 2024-05-17 12:00:00 UTC"),
        ({"request_payload": "a"}, "request_log: row 2: request_payload: expected a list, got 'a'."),
    ],
)
def test_all_rows_are_inserted_or_none(tmp_path: Path, row: Dict[str, Any], message: str) -> None:
    with open_place(place_in(tmp_path)) as warehouse:
        with pytest.raises(WarehouseError) as told:
            warehouse.insert("request_log", [{"request_id": 1}, row])
        assert str(told.value).startswith(message)
        assert warehouse.query("count", "SELECT COUNT(*) AS n FROM `esteira.request_log`") == [{"n": 0}]


def test_a_query_that_fails_says_what_was_to_be_done(tmp_path: Path) -> None:
    with open_place(place_in(tmp_path)) as warehouse, pytest.raises(WarehouseError) as told:
        warehouse.query("count the stars", "SELECT COUNT(*) AS n FROM `esteira.stars`")
    assert str(told.value).startswith("count the stars: Catalog Error: Table with name stars does not exist!")


def test_a_column_that_a_later_schema_has_is_added(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    write(log, 1)
    with open_place(place) as warehouse:
        warehouse.run("go back", "ALTER TABLE esteira.request_log DROP COLUMN release_id")
    write(log, 2)
    log.close()
    assert [row["release_id"] for row in logged(place)] == [None, "r-1"]


def test_the_table_of_ai_platforms_rows_is_made_where_it_is_set(
    make_settings: Callable[..., Settings],
) -> None:
    with open_warehouse(make_settings(log__ai_platform="legacy.answers")) as warehouse:
        assert warehouse.columns("legacy.answers")[:3] == ["model", "model_version", "time"]


@pytest.mark.parametrize("table", ["esteira.request_log", "ESTEIRA.daily", "journal.segments"])
def test_a_table_of_the_request_log_is_not_altered_for_ai_platforms_rows(tmp_path: Path, table: str) -> None:
    with open_place(place_in(tmp_path)) as warehouse:
        before = warehouse.columns("request_log")
    with pytest.raises(WarehouseError) as told, open_place(place_in(tmp_path, ai_platform=table)):
        pass
    assert str(told.value) == (
        f"log.ai_platform: {table} is of the request log itself.\n"
        "Expected a table of another name. Change it under [log] in esteira.toml, such as to: "
        'ai_platform = "esteira.ai_platform_log"'
    )
    with open_place(place_in(tmp_path)) as warehouse:
        assert warehouse.columns("request_log") == before


@pytest.mark.programs
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (HOLD, "{0}: another command has had the request log for 0.2 s.\n"),
        (HOLD_THE_FILE, "{0}/warehouse.duckdb: another program has it open: IO Error: Could not set lock on file"),
    ],
    ids=["esteira", "another program"],
)
def test_a_warehouse_that_another_process_has_is_waited_for_with_a_limit(
    tmp_path: Path, code: str, expected: str
) -> None:
    place = place_in(tmp_path)
    assert logged(place) == []
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(WarehouseError) as told, open_place(place, wait_s=0.2):
            pass
        other.stdin.close()
        # The other one ends meanwhile.
        assert logged(place) == []
    assert str(told.value).startswith(expected.format(place.folder))


def test_a_database_that_is_none_is_told_and_the_journal_stays(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    write(log, 1)
    log.close()
    file = place.folder / DATABASE
    file.write_bytes(b"x" * 100_000)
    with pytest.raises(WarehouseError) as told:
        logged(place)
    lines = str(told.value).split("\n")
    assert lines[0].startswith(f"{file}: cannot be used: IO Error: The file ")
    assert lines[1].endswith(
        f"Put it aside, and a new one is made, with what the journal still holds: mv {file} {file}.damaged"
    )
    file.rename(f"{file}.damaged")
    assert [row["request_id"] for row in logged(place)] == [1]


def test_a_folder_that_may_not_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "warehouse").write_text("a file", encoding="utf-8")
    with pytest.raises(WarehouseError) as told:
        logged(place_in(tmp_path))
    assert str(told.value).startswith(f"{tmp_path}/warehouse: the request log cannot be used: File exists.\n")
