"""Requests are erased in BigQuery once it lets go of what was streamed, which no statement changes before."""

import io
import json
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from rich.console import Console

from esteira.errors import WarehouseError
from esteira.monitoring.bigquery.engine import BigQuery
from esteira.monitoring.engine import RecentRowsError
from esteira.monitoring.erase import Erased, erase
from esteira.monitoring.front import erase_requests
from esteira.settings import Settings
from tests.vertex.endpoint_project import SERVING
from tests.vertex.logged_project import LoggedProject, reached

pytestmark = pytest.mark.loopback

TABLE = "esteira.request_log"
HOUR_S = 3600.0


@pytest.fixture
def project(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoggedProject]:
    """A project whose log has the requests 1 and 2, which Vertex AI streamed, and 3, which a job has loaded."""
    project = LoggedProject(settings, tmp_path / "bucket")
    with reached(project, monkeypatch):
        for number in (1, 2):
            project.requests.write(TABLE, row(number))
        engine_of(project).insert("request_log", [row(3)])
        yield project


def row(number: int) -> Dict[str, Any]:
    return {
        "endpoint": SERVING,
        "deployed_model_id": "1",
        "logging_time": "2026-11-22T21:30:41Z",
        "request_id": str(number),
        "request_payload": [json.dumps({"text": "a film"})],
        "response_payload": [],
    }


def engine_of(project: LoggedProject) -> BigQuery:
    return BigQuery(project.settings, project.api)


def left(project: LoggedProject) -> List[int]:
    return [int(row["request_id"]) for row in project.rows("SELECT request_id FROM `DATASET.request_log` ORDER BY 1")]


def later(project: LoggedProject, hours: float) -> None:
    project.warehouse.buffer.time_s = lambda: time.time() + hours * HOUR_S


def test_what_was_loaded_is_erased_at_once(project: LoggedProject) -> None:
    assert erase(engine_of(project), [3]) == Erased([3], [])
    assert left(project) == [1, 2]


def test_what_was_streamed_waits_with_what_is_erased_beside_it(project: LoggedProject) -> None:
    assert erase(engine_of(project), [1, 3]) == Erased([], [], [1, 3])
    later(project, 1.4)
    assert erase(engine_of(project), [1]) == Erased([], [], [1])
    assert left(project) == [1, 2, 3]
    later(project, 1.6)
    assert erase(engine_of(project), [1, 3, 9]) == Erased([1, 3], [9])
    assert left(project) == [2]


def test_a_statement_that_has_to_wait_is_told_from_one_that_is_wrong(project: LoggedProject) -> None:
    engine = engine_of(project)
    for statement in (
        f"DELETE FROM `{engine.dataset}.request_log` WHERE request_id = 1",
        f"UPDATE `{engine.dataset}.request_log` SET release_id = 'x' WHERE request_id < 3",
    ):
        with pytest.raises(RecentRowsError) as told:
            engine.query("change rows", statement)
        assert str(told.value) == (
            "BigQuery: cannot change rows yet: UPDATE or DELETE statement over table demo-project.esteira.request_log "
            "would affect rows in the streaming buffer, which is not supported"
        )
    engine.query("change rows", f"UPDATE `{engine.dataset}.request_log` SET release_id = 'x' WHERE request_id = 3")


def test_a_table_tells_how_many_rows_are_held(project: LoggedProject) -> None:
    path = "projects/demo-project/datasets/esteira/tables/request_log"
    held = project.api.call("read the table", "bigquery", "GET", path)["streamingBuffer"]
    assert held["estimatedRows"] == "2"
    later(project, 2)
    assert "streamingBuffer" not in project.api.call("read the table", "bigquery", "GET", path)


def test_a_person_is_told_what_to_type_and_when(project: LoggedProject) -> None:
    console = Console(file=io.StringIO(), width=200)
    with pytest.raises(WarehouseError) as told:
        erase_requests(project.settings, "1,3", True, console)
    assert str(told.value) == (
        "REQUEST=1,3: not erased yet, as a row of them came of late. BigQuery deletes no row that was streamed, as "
        "Vertex AI streams them, within the last half hour, at times the last 90 minutes.\n"
        "Run then: make erase REQUEST=1,3 ENV=dev"
    )
    later(project, 2)
    erase_requests(project.settings, "1,3", True, console)
    printed = console.file
    assert isinstance(printed, io.StringIO)
    assert printed.getvalue() == "Erased 0 requests.\nErased 2 requests.\n"
