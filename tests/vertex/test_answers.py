"""Asking an environment's endpoint in Google Cloud: make predict, and the client of a program of one's own."""

import io
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from esteira.errors import DataError, GoogleError
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.server import served
from esteira.serving.ask import Run
from esteira.serving.asked_rows import open_source
from esteira.serving.connect import Model
from esteira.serving.endpoint import RefusedError
from esteira.serving.prediction import Prediction
from esteira.settings import Settings
from esteira.vertex.answers import VertexEndpoint
from esteira.vertex.smoke import smoke_current, smoke_release
from esteira.vertex.traffic import promote_release
from tests.vertex.endpoint_project import Project

pytestmark = pytest.mark.loopback

ONE, TWO = "000000000001", "000000000002"


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Iterator[Project]:
    project = Project(settings, tmp_path / "bucket")
    with served(project.stand_in):
        deploy(project, 1)
        yield project


def deploy(project: Project, number: int) -> None:
    release = project.release(number)
    smoke_release(project.settings, project.api, project.store, release)
    promote_release(project.settings, project.api, release, settle_s=0)
    # In the history, where the labels of one that answers are looked for.
    project.store.write(f"releases/{release.id}/release.json", release.json().encode())


def endpoint(project: Project, number: int = 1) -> VertexEndpoint:
    release = project.release(number)
    return VertexEndpoint(project.settings, project.api, project.store, release, "sentiment-dev")


def answered(project: Project, typed: str) -> List[Dict[str, Any]]:
    out, err = io.StringIO(), io.StringIO()
    run = Run(endpoint(project), "text", "json", out, err)
    try:
        run.answer_source(open_source("-", io.BytesIO(typed.encode())))
    finally:
        project.told = err.getvalue()  # type: ignore[attr-defined]
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_texts_are_answered_with_the_release_that_did(project: Project) -> None:
    with Model(endpoint(project)) as model:
        assert str(model.interface) == "text string[n] → confidence float[n], label string[n], probabilities float[n,2]"
        (good,) = model.predict(["good"])
    probabilities = {"negative": 0.25, "positive": 0.75}
    assert good == Prediction("good", "positive", 0.75, probabilities, model_version="1", release=ONE)


def test_rows_are_answered_in_order_by_requests_of_many(project: Project) -> None:
    project.asked.clear()
    rows = answered(project, "id,text\n" + "".join(f"{number},good\n" for number in range(200)))
    assert [row["id"] for row in rows] == [str(number) for number in range(200)]
    assert {(row["prediction"]["label"], row["model_version"], row["release_id"]) for row in rows} == {
        ("positive", "1", ONE)
    }
    assert len(project.asked) == 4


def test_a_release_that_took_the_traffic_meanwhile_is_told_by_its_name(project: Project) -> None:
    asking = endpoint(project)
    assert asking.ask([{"text": "good"}]).release == ONE
    deploy(project, 2)
    after = asking.ask([{"text": "good"}])
    assert (after.release, after.version) == (TWO, "2")
    assert asking.labels_of(after) == ["negative", "positive"]


def test_what_the_model_refuses_is_told_by_its_row(project: Project) -> None:
    with pytest.raises(RefusedError) as told:
        endpoint(project).ask([{"text": "good"}, {"text": 1}])
    assert (told.value.status, "instances[1].text: expected a string" in told.value.said) == (400, True)
    with pytest.raises(DataError):
        answered(project, '{"text": "good"}\n{"text": "\\ud83d"}\n')
    assert project.told.startswith("stdin:2: is refused with status 400: ")  # type: ignore[attr-defined]


def test_an_endpoint_that_is_busy_is_asked_again(project: Project) -> None:
    project.stand_in.faults.add(Fault(r".*endpoints\.predict", "busy", times=2))
    assert len(endpoint(project).ask([{"text": "good"}]).predictions) == 1


def test_an_endpoint_that_may_not_be_asked_is_told(project: Project) -> None:
    project.stand_in.faults.add(Fault(r".*endpoints\.predict", "denied"))
    with pytest.raises(GoogleError, match="Permission 'aiplatform.endpoints.predict' denied"):
        endpoint(project).ask([{"text": "good"}])


def test_what_serves_is_smoke_tested_by_hand_without_a_deployment(project: Project, monkeypatch: Any) -> None:
    monkeypatch.setattr("esteira.vertex.smoke.open_api", lambda settings: project.api)
    deployments = project.deployments()
    result = smoke_current(project.settings, project.store, project.release(1))
    assert not result.failed
    assert project.deployments() == deployments
