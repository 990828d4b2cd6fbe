import json
import os
import subprocess

import pytest

from esteira.deploy.record import begin_record, recorded
from esteira.deploy.status import COLLECTION, read_status, show_status
from esteira.errors import BuildError, NotBlessedError, SettingsError
from esteira.release.history import keep_release, make_current, read_pointer
from esteira.release.lease import hold_lease
from esteira.release.manifest import Release, identified, manifest_name
from esteira.release.store import Store, open_store
from esteira.settings import Settings

AT = "2026-11-22T10:00:01Z"


@pytest.fixture
def store(settings: Settings) -> Store:
    return open_store(settings)


def deploy(settings: Settings, store: Store, commit: str = "1" * 40) -> str:
    """Leave behind what a deploy leaves that went well; return its release."""
    made = Release(id="", pipeline="sentiment", commit=commit, dirty=False, kind="full", parts={}, at=AT)
    release = keep_release(store, identified(made))
    with recorded(settings, "make deploy", os.getpid()):
        make_current(store, release.id, if_generation=read_pointer(store).generation)
    return release.id


def fail(settings: Settings, message: str, exit_code: int = BuildError.exit_code) -> None:
    error = BuildError(message)
    error.exit_code = exit_code
    with pytest.raises(BuildError), recorded(settings, "make deploy", os.getpid()):
        raise error


def word(settings: Settings) -> str:
    return show_status(read_status(settings), "word")


def text(settings: Settings) -> str:
    return show_status(read_status(settings), "text")


def test_before_the_first_deploy(settings: Settings) -> None:
    assert word(settings) == "none"
    assert text(settings).splitlines() == [
        "deploying  nothing",
        "served     nothing yet. Run: make deploy-full",
    ]


def test_what_is_served_is_told(settings: Settings, store: Store) -> None:
    release = deploy(settings, store)
    assert word(settings) == "served"
    assert f"served     release {release} (full) of commit 1111111, made {AT}" in text(settings)
    assert json.loads(show_status(read_status(settings), "json"))["current"]["id"] == release


def test_a_model_that_missed_the_gate_is_told_until_the_next_deploy(settings: Settings, store: Store) -> None:
    good = deploy(settings, store)
    fail(settings, "build b-1: failed.\nStep run left with status 10.", NotBlessedError.exit_code)
    assert word(settings) == "not blessed"
    assert f"served     release {good}" in text(settings)
    deploy(settings, store, "2" * 40)
    assert word(settings) == "served"


def test_a_deploy_that_failed_is_told_with_its_error(settings: Settings) -> None:
    fail(settings, "build b-1: failed.\nStep compile left with status 8.")
    assert word(settings) == "failed"
    assert "           Step compile left with status 8." in text(settings)


def test_a_deploy_that_runs_is_told_with_its_step(settings: Settings, store: Store) -> None:
    with hold_lease(store, what="make deploy", lease_s=60, wait_s=0, report=print):
        assert word(settings) == "deploying"
        assert "(make deploy, since " in text(settings)
    with hold_lease(store, what=COLLECTION, lease_s=60, wait_s=0, report=print):
        assert word(settings) == "none"


@pytest.mark.programs
def test_a_deploy_in_the_background_counts_from_its_start_until_it_is_killed(settings: Settings) -> None:
    process = subprocess.Popen(["sleep", "600"])
    begin_record(settings, "make deploy", process.pid)
    assert word(settings) == "deploying"
    assert "deploying  make deploy, since " in text(settings)
    process.kill()
    process.wait()
    assert word(settings) == "interrupted"
    assert ": killed\n           To go on with it, run: make deploy" in text(settings)


def test_a_current_release_whose_manifest_is_lost_is_told(settings: Settings, store: Store) -> None:
    release = deploy(settings, store)
    store.delete([manifest_name(release)])
    assert word(settings) == "failed"
    assert f"served     release {release}, whose manifest is lost. Run: make rollback RELEASE=id" in text(settings)


def test_an_unknown_format_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="FORMAT=xml: expected text, json, markdown or word"):
        show_status(read_status(settings), "xml")
