"""The proof that requests are logged, and what is told of a deployed model beside the log."""

import json
from pathlib import Path
from typing import Iterator

import pytest

from esteira.errors import WarehouseError
from esteira.local.cloud.server import served
from esteira.monitoring.views import OWN
from esteira.settings import Settings
from esteira.vertex.endpoint import deployed_id
from esteira.vertex.endpoint_log import settle_log
from esteira.vertex.logged import TEXT, complete_log, is_complete, times_to_ask
from esteira.vertex.predict import ask
from esteira.vertex.recorded import record_deployed
from esteira.vertex.smoke import smoke_release
from esteira.vertex.traffic import promote_release
from tests.release.test_lease import wait_until
from tests.vertex.endpoint_project import SERVING
from tests.vertex.logged_project import LoggedProject

pytestmark = pytest.mark.loopback

ONE = "000000000001"


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Iterator[LoggedProject]:
    """A project whose first release serves, after its smoke test."""
    project = LoggedProject(settings, tmp_path / "bucket")
    with served(project.stand_in):
        yield project


def deploy(project: LoggedProject) -> None:
    smoke_release(project.settings, project.api, project.store, project.release(1))
    settle_log(project.settings, project.api, project.endpoints.known[SERVING])


def complete(project: LoggedProject, lands_s: int = 60) -> str:
    project.set("log", lands_s=lands_s)
    (told,) = complete_log(project.settings, project.api, project.store, project.release(1))
    return told


def test_a_row_lands_and_says_what_was_asked_and_answered(project: LoggedProject) -> None:
    deploy(project)
    identity = deployed_id("sentiment-dev", project.release(1), "1")
    table = "demo-project.esteira.request_log"
    assert complete(project) == f"request log: {table} has a row of the deployed model {identity}"
    row = project.rows("SELECT * FROM `DATASET.request_log` ORDER BY logging_time DESC LIMIT 1")[0]
    assert (row["endpoint"], row["deployed_model_id"]) == (SERVING, identity)
    assert row["request_payload"] == [json.dumps({"text": TEXT}, separators=(",", ":"))]
    assert [json.loads(entry)["label"] for entry in row["response_payload"]] == ["negative"]
    assert (row["model_version"], row["release_id"]) == (None, None)


def test_what_is_deployed_is_recorded_once_with_its_labels_and_signature(project: LoggedProject) -> None:
    deploy(project)
    for _ in range(2):
        record_deployed(project.settings, project.api, project.store, project.release(1))
    (row,) = project.rows("SELECT * FROM `DATASET.deployed_models`")
    assert (row["endpoint"], row["model_version"], row["release_id"]) == (SERVING, "1", ONE)
    assert row["labels"] == ["negative", "positive"]
    assert json.loads(row["signature"]) == {
        "inputs": [{"name": "text", "dtype": "DT_STRING", "shape": [None]}],
        "outputs": [
            {"name": "confidence", "dtype": "DT_FLOAT", "shape": [None]},
            {"name": "label", "dtype": "DT_STRING", "shape": [None]},
            {"name": "probabilities", "dtype": "DT_FLOAT", "shape": [None, 2]},
        ],
    }
    assert row["deployed_time"].tzinfo is not None


def test_the_views_name_the_classes_of_what_was_logged(project: LoggedProject) -> None:
    deploy(project)
    complete(project)
    ask(project.settings, project.api, "sentiment-dev", [{"text": "a film of a user"}])
    wait_until(lambda: bool(project.rows("SELECT * FROM `DATASET.requests` WHERE text = 'a film of a user'")))
    (row,) = project.rows("SELECT * FROM `DATASET.requests` WHERE text = 'a film of a user'")
    assert (row["label"], row["confidence"], row["release_id"], row["error"]) == ("negative", 0.75, ONE, None)


def test_what_a_deploy_itself_asks_is_in_the_log_and_in_no_view(project: LoggedProject) -> None:
    deploy(project)
    promote_release(project.settings, project.api, project.release(1))
    complete(project)
    shown = project.rows("SELECT text FROM `DATASET.requests`")
    assert [row["text"] for row in shown if "Esteira" in row["text"]] == []
    logged = project.rows("SELECT request_payload FROM `DATASET.request_log`")
    assert sum(OWN in row["request_payload"][0] for row in logged) >= 1


def test_a_row_that_does_not_land_is_told_with_where_to_look(project: LoggedProject) -> None:
    deploy(project)
    project.requests.loses = True
    project.warehouse.rows.run("DELETE FROM esteira.request_log", {}, is_read=False)
    identity = deployed_id("sentiment-dev", project.release(1), "1")
    with pytest.raises(WarehouseError) as told:
        complete(project, lands_s=0)
    first, *where, last = str(told.value).splitlines()
    assert first == (
        f"demo-project.esteira.request_log: has no row of the deployed model {identity}, 0 s after a request to it."
    )
    assert where == [
        "Look whether Vertex AI may write there, and the columns are right: make cloud-plan ENV=dev",
        "See what is written: bq --location=europe-west1 head -n 10 demo-project:esteira.request_log",
    ]
    assert last.startswith("See what the endpoint says: https://console.cloud.google.com/logs/")
    assert not is_complete(project.settings, project.api, project.store, project.release(1))


@pytest.mark.parametrize(("percent", "times"), [(100, 1), (99, 2), (50, 14), (9, 98), (8, 100), (1, 100)])
def test_of_few_logged_requests_enough_are_asked(percent: int, times: int) -> None:
    assert times_to_ask(percent) == times


def test_what_may_be_chance_is_no_error(project: LoggedProject) -> None:
    project.set("log", percent=1)
    deploy(project)
    project.requests.loses = True
    project.warehouse.rows.run("DELETE FROM esteira.request_log", {}, is_read=False)
    identity = deployed_id("sentiment-dev", project.release(1), "1")
    assert complete(project, lands_s=0) == (
        "request log: not proven. demo-project.esteira.request_log has no row of 100 requests to the deployed model "
        f"{identity}, but with log.percent = 1 that happens by chance in 36.6% of all cases"
    )
    assert len(project.asked) > 100


def test_a_log_that_is_off_is_told_and_nothing_is_asked(project: LoggedProject) -> None:
    project.set("log", percent=0)
    deploy(project)
    before = len(project.asked)
    assert complete(project) == "request log: log.percent is 0: it is off"
    assert len(project.asked) == before
    assert project.rows("SELECT COUNT(*) AS n FROM `DATASET.request_log`") == [{"n": 0}]


def test_what_is_complete_is_so_for_one_deployed_model_and_the_same_settings(project: LoggedProject) -> None:
    deploy(project)
    complete(project)
    assert is_complete(project.settings, project.api, project.store, project.release(1))
    project.set("log", percent=50)
    assert not is_complete(project.settings, project.api, project.store, project.release(1))


def test_text_that_may_not_be_kept_is_not_logged_by_the_endpoint(project: LoggedProject) -> None:
    project.set("log", text="hash")
    deploy(project)
    assert project.endpoints.known[SERVING]["predictRequestResponseLoggingConfig"] == {"enabled": False}
