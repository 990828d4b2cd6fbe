import json
from typing import Optional

import pytest

from esteira.deploy.record import recorded
from esteira.deploy.status import read_status, show_status
from esteira.errors import BuildError, SettingsError
from esteira.release.history import keep_outcome, keep_release, make_current, read_pointer
from esteira.release.lease import hold_lease
from esteira.release.manifest import Outcome, Release, identified
from esteira.release.store import Store, open_store
from esteira.settings import Settings


@pytest.fixture
def store(settings: Settings) -> Store:
    return open_store(settings)


def add_release(store: Store, at: str, *, error: Optional[str], promote: bool = False) -> str:
    made = Release(id="", pipeline="sentiment", commit=at[-2] * 40, dirty=False, kind="full", parts={}, at=at)
    release = keep_release(store, identified(made))
    evaluation = {"metrics": {}} if error is not None else {}
    keep_outcome(
        store, release.id, Outcome(run="r", at=at, blessed=not error, error=error or "", evaluation=evaluation)
    )
    if promote:
        make_current(store, release.id, if_generation=read_pointer(store).generation)
    return release.id


def word(settings: Settings) -> str:
    return show_status(read_status(settings), "word")


def test_before_the_first_deploy(settings: Settings) -> None:
    assert word(settings) == "none"
    assert show_status(read_status(settings), "text").splitlines() == [
        "deploying  nothing",
        "served     nothing yet. Run: make deploy-full",
    ]


def test_what_is_served_is_told(settings: Settings, store: Store) -> None:
    release = add_release(store, "2026-11-22T10:00:01Z", error="", promote=True)
    assert word(settings) == "served"
    assert f"served     release {release} (full) of commit 1111111" in show_status(read_status(settings), "text")
    assert json.loads(show_status(read_status(settings), "json"))["current"]["id"] == release


def test_a_model_that_missed_the_gate_is_told_with_its_reason_and_the_last_good_one_stays(
    settings: Settings, store: Store
) -> None:
    good = add_release(store, "2026-11-22T10:00:01Z", error="", promote=True)
    bad = add_release(store, "2026-11-22T11:00:02Z", error="macro_f1 is 0.300, expected ≥ 0.400 (baseline none)")
    assert word(settings) == "not blessed"
    text = show_status(read_status(settings), "text")
    assert f"release {bad} is not served: macro_f1 is 0.300, expected ≥ 0.400" in text
    assert f"served     release {good}" in text


def test_a_deploy_that_failed_before_there_was_a_release_is_told(settings: Settings) -> None:
    with pytest.raises(BuildError), recorded(settings, "make deploy"):
        raise BuildError("build b-1: failed.\nStep compile left with status 8.")
    assert word(settings) == "failed"
    assert "           Step compile left with status 8." in show_status(read_status(settings), "text")


def test_a_deploy_that_runs_is_told_with_its_step(settings: Settings, store: Store) -> None:
    with hold_lease(store, what="make deploy", lease_s=60, wait_s=0, report=print), recorded(settings, "make deploy"):
        assert word(settings) == "deploying"
        assert "(make deploy, since " in show_status(read_status(settings), "text")


def test_a_deploy_that_was_killed_is_told(settings: Settings) -> None:
    with pytest.raises(KeyboardInterrupt), recorded(settings, "make deploy"):
        raise KeyboardInterrupt
    assert word(settings) == "interrupted"


def test_an_unknown_format_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="FORMAT=xml: expected text, json or word"):
        show_status(read_status(settings), "xml")
