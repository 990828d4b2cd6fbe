"""A share of the traffic for a former release, and all of it back."""

from pathlib import Path
from typing import Iterator

import pytest

from esteira.errors import ServingError, StateError
from esteira.local.cloud.server import served
from esteira.release.history import keep_release, make_current, read_pointer
from esteira.settings import Settings
from esteira.vertex import split
from esteira.vertex.smoke import smoke_release
from esteira.vertex.traffic import promote_release, remove_older
from tests.vertex.endpoint_project import Project

pytestmark = pytest.mark.loopback

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


def test_a_pusher_keeps_no_model_beside(project: Project) -> None:
    project.set("endpoint", by="pusher")
    with pytest.raises(ServingError, match='^endpoint.by = "pusher": TFX deploys a model with all traffic'):
        change(project, TWO, "10")
