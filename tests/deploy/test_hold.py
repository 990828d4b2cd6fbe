"""Holding an environment that a build may have."""

from typing import Callable, List

import pytest

from esteira.deploy.hold import has_ended, held, wait_s
from esteira.errors import LeaseError
from esteira.google.api import Api
from esteira.release.lease import read_lease
from esteira.release.store import open_store
from esteira.settings import Settings
from tests.builds.scene import GET, Scene
from tests.release.test_lease import held_by

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

UNKNOWN = "0a1b2c3d-0000-4000-8000-000000000000"


def hand_over(scene: Scene, build: str) -> None:
    with held(scene.settings, open_store(scene.settings), "make deploy", print) as lease:
        lease.hand_over(build, 3600)


def impatient(scene: Scene) -> Settings:
    return scene.settings.copy(update={"deploy": scene.settings.deploy.copy(update={"wait_s": 0})})


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "INTERNAL_ERROR", "TIMEOUT", "CANCELLED", "EXPIRED", ""])
def test_an_environment_is_taken_over_at_once_from_a_build_that_is_over_or_unknown(scene: Scene, status: str) -> None:
    store = open_store(scene.settings)
    said: List[str] = []
    build = scene.add_build(status=status) if status else UNKNOWN
    hand_over(scene, build)
    with held(impatient(scene), store, "make deploy", said.append):
        assert held_by(store).build == ""
    assert [line.partition("took over from ")[0] for line in said] == [""]
    assert said[0].endswith(f", build {build}): it ended without a word")
    assert read_lease(store) is None


@pytest.mark.parametrize("status", ["PENDING", "QUEUED", "WORKING"])
def test_an_environment_is_waited_for_while_its_build_goes_on(scene: Scene, status: str) -> None:
    build = scene.add_build(status=status)
    hand_over(scene, build)
    told = pytest.raises(LeaseError, match=rf", build {build}\)\.\nExpected it to end within 0 s")
    with told, held(impatient(scene), open_store(scene.settings), "make deploy", print):
        raise AssertionError("held")


def test_however_often_a_build_is_asked_for_one_login_does(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: List[str] = []

    def counted(settings: Settings) -> Api:
        opened.append(settings.selected)
        return scene.api

    store = open_store(scene.settings)
    build = scene.add_build(*[{"status": "WORKING"}] * 3, {"status": "SUCCESS"})
    hand_over(scene, build)
    monkeypatch.setattr("esteira.google.open.open_api", counted)
    eager = scene.settings.copy(update={"deploy": scene.settings.deploy.copy(update={"lease_s": 0.3})})
    with held(eager, store, "make deploy", print):
        assert scene.builds.known[build]["status"] == "SUCCESS"
    assert len(scene.stand_in.called(GET)) == 4
    assert opened == ["dev"]


def test_an_environment_in_the_cloud_is_waited_for_as_long_as_its_build_may_take(
    scene: Scene, make_settings: Callable[..., Settings]
) -> None:
    assert wait_s(scene.settings) == 1200 + 21600
    assert wait_s(make_settings()) == 600
    assert [wait_s(make_settings(deploy__wait_s=given)) for given in ("0", "7")] == [0, 7]


def test_on_this_machine_no_build_is_asked_for(settings: Settings) -> None:
    assert not has_ended(settings, UNKNOWN)
