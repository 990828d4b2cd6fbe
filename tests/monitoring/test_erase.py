"""Requests are erased by their ids, to the last byte."""

from pathlib import Path
from typing import List

import pytest

from esteira.errors import WarehouseError
from esteira.monitoring.erase import Erased, erase
from esteira.monitoring.views import make_views
from esteira.monitoring.warehouse.database import open_place, open_warehouse, place_of
from esteira.settings import Settings
from tests.monitoring.logged import ids_of, opened_log, place_in, write

SECRET = "SECRET-3f9a1c of a person"
OTHER_TEXT = "a-film-that-stays"


def files_with(folder: Path, text: str) -> List[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_not_a_byte_of_an_erased_request_is_left_while_a_server_writes(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    log = opened_log(place, segment_bytes=2000)
    write(log, 1, 2, text=OTHER_TEXT)
    write(log, 3, text=SECRET)
    # One segment is full, the next is live, and both have the text.
    write(log, *range(10, 30), text=OTHER_TEXT)
    write(log, 4, text=SECRET)
    assert files_with(tmp_path, SECRET) != []
    with open_place(place) as warehouse:
        truth = [{"request_id": number, "row_number": 0, "label": SECRET} for number in (3, 5)]
        warehouse.insert("ground_truth", truth)
        # A day of use in one: some of it goes through the write-ahead log, some does not.
        rows = [{"request_id": 100 + number, "request_payload": [f"{SECRET} {number}"]} for number in range(3000)]
        warehouse.insert("request_log", rows)
        assert [path.name for path in files_with(place.folder, SECRET) if path.parent == place.folder] != []
        ids = [3, 4, 5, 99, *range(100, 3100)]
        assert erase(warehouse, ids) == Erased([3, 4, 5, *range(100, 3100)], [99])
        assert files_with(tmp_path, SECRET) == []
        assert erase(warehouse, [3]) == Erased([], [3])
        assert warehouse.query("count", "SELECT COUNT(*) AS n FROM `esteira.ground_truth`") == [{"n": 0}]
    assert files_with(tmp_path, SECRET) == []
    # The server has noticed nothing.
    write(log, 6, text=OTHER_TEXT)
    assert ids_of(place) == [1, 2, *range(10, 30), 6]
    log.close()
    assert ids_of(place) == [1, 2, *range(10, 30), 6]
    assert [path.name for path in files_with(tmp_path, SECRET)] == []


def test_views_outlast_an_erasure(settings: Settings) -> None:
    log = opened_log(place_of(settings))
    write(log, 1, 2)
    log.close()
    with open_warehouse(settings) as warehouse:
        make_views(warehouse, settings)
        erase(warehouse, [1])
        rows = warehouse.query("read", "SELECT request_id, text FROM `esteira.requests`")
    assert [(row["request_id"], row["text"]) for row in rows] == [(2, "a film")]


@pytest.mark.parametrize("number", [-1, 10**29, 10**35])
def test_what_is_no_id_is_told_before_anything_is_erased(tmp_path: Path, number: int) -> None:
    with open_place(place_in(tmp_path)) as warehouse, pytest.raises(WarehouseError) as told:
        erase(warehouse, [1, number])
    assert str(told.value).startswith(f"{number}: is no request's id. Expected the number in the header x-request-id")


def test_the_greatest_id_is_erased_and_rows_with_a_time_beside_those_without(tmp_path: Path) -> None:
    rows = [{"request_id": 10**29 - 1, "logging_time": "2026-01-02T00:00:00Z"}, {"request_id": 10**29 - 1}]
    with open_place(place_in(tmp_path)) as warehouse:
        warehouse.insert("request_log", [*rows, {"request_id": 7, "logging_time": "2026-01-02T00:00:00Z"}])
        assert erase(warehouse, [1, 10**29 - 1]) == Erased([10**29 - 1], [1])
        assert warehouse.query("read", "SELECT request_id FROM `esteira.request_log`") == [{"request_id": 7}]


def test_rows_that_are_left_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esteira.monitoring.erase.delete_truths", lambda engine, there: None)
    with open_place(place_in(tmp_path)) as warehouse:
        warehouse.insert("ground_truth", [{"request_id": 7, "label": "a"}])
        with pytest.raises(WarehouseError) as told:
            erase(warehouse, [7])
    assert str(told.value) == (
        "1 requests are in ground_truth still, though they were deleted: 7\nExpected none. Run: make erase REQUEST=7"
    )


def test_what_a_rewriting_that_was_killed_left_is_gone(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    assert ids_of(place) == []
    (place.folder / "rewritten.duckdb").write_text(SECRET, encoding="utf-8")
    (place.folder / "rewritten.duckdb.wal").write_text(SECRET, encoding="utf-8")
    (place.folder / "spill").mkdir()
    (place.folder / "spill" / "block").write_text(SECRET, encoding="utf-8")
    assert ids_of(place) == []
    assert files_with(tmp_path, SECRET) == []
