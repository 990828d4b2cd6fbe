"""A share of the traffic for a former release, and all of it back."""

from pathlib import Path
from typing import Iterator

import pytest

from esteira.errors import ServingError, StateError
from esteira.local.cloud.server import served
from esteira.release.history import keep_release, make_current, read_pointer
from esteira.settings import Settings
from esteira.vertex import split
from esteira.vertex.smoke import smoke_current, smoke_release
from esteira.vertex.traffic import promote_release, remove_older
from tests.vertex.endpoint_project import SERVING, Project

pytestmark = pytest.mark.loopback

GET = "aiplatform.projects.locations.endpoints.get"
ONE, TWO, THREE = (f"{number:012x}" for number in (1, 2, 3))


@pytest.fixture
def project(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with three releases, of which the last is current and the one before is still deployed."""
    project = Project(settings, tmp_path / "bucket")
    monkeypatch.setattr(split, "open_store", lambda settings: project.store)
    with served(project.stand_in):
        for number in (1, 2, 3):
            before = read_pointer(project.store)
            release = project.release(number).copy(update={"parent": before.release or None})
            keep_release(project.store, release)
            smoke_release(project.settings, project.api, project.store, release)
            promote_release(project.settings, project.api, release, settle_s=0)
            make_current(project.store, release.id, if_generation=before.generation)
            remove_older(project.settings, project.api, project.store, release)
        yield project


def change(project: Project, release: str = "", percent: str = "") -> str:
    return split.change_traffic(project.settings, release, percent, project.api)


def test_a_former_release_gets_a_share_and_gives_it_back(project: Project) -> None:
    assert change(project) == f"100 % of the traffic goes to release {THREE}"
    assert change(project, TWO, "10") == f"90 % of the traffic goes to release {THREE}, 10 % to release {TWO}"
    assert project.deployed() == {TWO: 10, THREE: 90}
    assert change(project, TWO, "60") == f"60 % of the traffic goes to release {TWO}, 40 % to release {THREE}"
    assert change(project, percent="0") == f"100 % of the traffic goes to release {THREE}"
    assert project.deployed() == {TWO: 0, THREE: 100}


def test_a_release_that_is_not_deployed_any_more_needs_a_rollback(project: Project) -> None:
    with pytest.raises(ServingError) as told:
        change(project, ONE, "10")
    assert str(told.value) == (
        f"release {ONE}: its model is not deployed any more to the endpoint sentiment-dev, which has those of "
        f"{TWO}, {THREE}.\nTo serve it again: make rollback RELEASE={ONE} ENV=dev    "
        "How many stay deployed: endpoint.keep in esteira.toml"
    )
    assert project.deployed() == {TWO: 0, THREE: 100}


def test_the_current_release_needs_no_share(project: Project) -> None:
    with pytest.raises(StateError, match=f"^RELEASE={THREE}: its model is served already, by the current release"):
        change(project, THREE, "10")


@pytest.mark.parametrize("percent", ["", "100", "-1", "a lot"])
def test_a_share_that_is_none_is_refused(project: Project, percent: str) -> None:
    with pytest.raises(StateError, match=f"^PERCENT={percent}: expected 1 to 99"):
        change(project, TWO, percent)


@pytest.mark.parametrize("percent", ["10", "97"])
def test_the_current_model_is_smoke_tested_by_hand_though_another_one_answers_too(
    project: Project, monkeypatch: pytest.MonkeyPatch, percent: str
) -> None:
    monkeypatch.setattr("esteira.vertex.smoke.open_api", lambda settings: project.api)
    change(project, TWO, percent)
    project.wrong.add(TWO)
    first, *others = smoke_current(project.settings, project.store, project.release(3)).checks
    assert first.name == "deployed model and version"
    assert first.observed.endswith(f"; it has {100 - int(percent)} % of the traffic, and was asked until it answered")
    assert [check.name for check in others if not check.passed] == []
    assert TWO in project.asked


def test_a_current_model_that_never_answers_though_it_has_traffic_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esteira.vertex.smoke.open_api", lambda settings: project.api)
    change(project, TWO, "50")
    (two, three) = [one["id"] for one in project.endpoints.known[SERVING]["deployedModels"]]
    get = project.stand_in.handlers[GET]
    project.endpoints.known[SERVING]["trafficSplit"] = {two: 100, three: 0}
    told_split = {"trafficSplit": {two: 50, three: 50}}
    project.stand_in.handlers[GET] = lambda call: {**get(call), **told_split}
    with pytest.raises(ServingError) as told:
        smoke_current(project.settings, project.store, project.release(3))
    assert str(told.value).splitlines()[1:3] == [
        f'- deployed model and version: expected ["{three}", "3"], got ["{two}", "2"]',
        "- an answer to each request: expected status 200, got endpoint sentiment-dev: the deployed model "
        f"{three} answered none of 20 requests, others did",
    ]


def test_a_pusher_keeps_no_model_beside(project: Project) -> None:
    project.set("endpoint", by="pusher")
    with pytest.raises(ServingError, match='^endpoint.by = "pusher": TFX deploys a model with all traffic'):
        change(project, TWO, "10")
