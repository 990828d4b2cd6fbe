"""Requests are erased in DuckDB and in an emulator of BigQuery by the same statements."""

import pytest

from esteira.monitoring.erase import Erased, erase
from tests.sql.places import Both, logged

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


def test_requests_are_erased(both: Both) -> None:
    ids = [12, 2**62 + 1, 10**29 - 1]
    both.insert("request_log", [logged(number, ['"a"'], ['"b"']) for number in (*ids, 13)])
    both.insert("request_log", [logged(12, ['"a"'], ['"b"'], logging_time=None)])
    both.insert("request_log", [logged(12, ['"a"'], ['"b"'], logging_time="2019-05-06T07:08:09.000001Z")])
    both.insert("ground_truth", [{"request_id": str(number), "label": "x"} for number in (12, 13, 14)])
    for engine in (both.here, both.there):
        assert erase(engine, [*ids, 14, 99]) == Erased([12, 14, 2**62 + 1, 10**29 - 1], [99])
    assert [row["request_id"] for row in both.rows("SELECT request_id FROM `{dataset}.request_log`")] == [13]
    assert [row["request_id"] for row in both.rows("SELECT request_id FROM `{dataset}.ground_truth`")] == [13]
