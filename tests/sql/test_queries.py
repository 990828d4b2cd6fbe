"""Every query in sql/ answers the same in DuckDB and in an emulator of BigQuery; each file there is named here."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Tuple

import pytest

from esteira.monitoring.views import FOLDER, VIEWS, render
from tests.sql.places import Both, deployed, logged, signature

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

SIGNATURE = signature({"text": ("DT_STRING", [None])}, {"label": ("DT_STRING", [None])})
RECORDED = {"deployed_model_id": "10", "model_version": "1", "release_id": "release-10", "signature": SIGNATURE}
DAY_S = 24 * 3600
# What is asked, and a column of the answer: of requests that came 1, 2 and 960 hours before noon of yesterday.
ASKED: List[Tuple[str, Dict[str, Any], str, List[Any]]] = [
    ("latest_requests", {"days": 7, "limit": 1}, "request_id", [0]),
    ("latest_requests", {"days": 50, "limit": 10}, "request_id", [0, 1, 2**62]),
    ("daily_rows", {"days": 2}, "requests", [2]),
    ("daily_rows", {"days": 50}, "requests", [2, 1]),
    ("accuracy_rows", {"days": 2}, "accuracy", [0.5]),
    ("accuracy_rows", {"days": 50}, "instances", [2, 1]),
    ("last_days", {"days": 30}, "error", [None, None]),
    ("models", {}, "labels", [["negative", "neutral", "positive"]]),
    ("logged", {"deployed_model_id": "10", "seconds": 3 * DAY_S}, "logged", [2]),
    ("logged", {"deployed_model_id": "10", "seconds": 60}, "logged", [0]),
    ("logged", {"deployed_model_id": "11", "seconds": 3 * DAY_S}, "logged", [0]),
    ("recorded", RECORDED, "recorded", [1]),
    ("recorded", {**RECORDED, "model_version": "2"}, "recorded", [0]),
    ("known_requests", {"request_ids": ["1", str(2**62), "77"]}, "request_id", [1, 2**62]),
    ("known_ground_truth", {"request_ids": ["1", str(2**62), "77"]}, "request_id", [1, 2**62]),
    ("times_of_requests", {"request_ids": ["1", "77"]}, "timeless", [0]),
]
# tests/sql/test_views.py makes the views; tests/sql/test_erase.py erases.
ELSEWHERE = {*VIEWS, "erase_requests", "erase_timeless", "erase_ground_truth"}


def test_every_file_is_named_by_a_test() -> None:
    assert {file.name.split(".")[0] for file in FOLDER.glob("*.j2")} == {name for name, *_ in ASKED} | ELSEWHERE


def test_every_query_answers_the_same(both: Both) -> None:
    noon = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0) - timedelta(days=1)
    ids, hours = (0, 1, 2**62), (1, 2, 24 * 40)
    times = [(noon - timedelta(hours=ago)).strftime("%Y-%m-%dT%H:%M:%SZ") for ago in hours]
    request, response = json.dumps({"text": "a"}), json.dumps({"label": "positive"})
    both.insert("deployed_models", [deployed("10", SIGNATURE)])
    both.insert("request_log", [logged(one, [request], [response], logging_time=at) for one, at in zip(ids, times)])
    truths = [{"request_id": str(one), "row_number": 0, "given_time": times[0]} for one in ids]
    both.insert(
        "ground_truth", [{**truth, "label": "positive" if place else "x"} for place, truth in enumerate(truths)]
    )
    both.make_views(with_ai_platform=False)
    for name, parameters, column, expected in ASKED:
        sql = render(name, "dataset").replace("`dataset.", "`{dataset}.")
        assert [row[column] for row in both.rows(sql, parameters)] == expected, name
