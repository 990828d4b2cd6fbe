"""What anyone sees of the last deploy to Google Cloud, and can do about it: status, cancel, logs."""

import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest

from esteira.builds.submit import Submitted
from esteira.deploy.refused import keeping_refusal
from esteira.deploy.remote_state import cancel_deploy, show_logs
from esteira.deploy.rollback_record import NAME, recorded_rollback
from esteira.deploy.status import read_status, show_status
from esteira.deploy.submission import keep_submission
from esteira.errors import GoogleError, PlanError, StateError
from esteira.local.cloud import pipelines
from esteira.local.cloud.clock import Clock
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.pipelines import Details, Pipelines
from esteira.release.history import keep_outcome, keep_release, make_current, read_pointer
from esteira.release.lease import hold_lease
from esteira.release.lease_handed import renew
from esteira.release.manifest import Outcome, Release, identified, manifest_name
from esteira.release.store import open_store
from esteira.settings import Settings
from esteira.vertex.job import make_run_id
from esteira.vertex.runs import run_state
from tests.builds.scene import CANCEL, Scene
from tests.deploy.test_submission import ORDER
from tests.vertex.scripted import PARENT, Snapshot, bound_job, snapshot_details

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

AT = "2026-11-22T10:00:01Z"
FINISHED = "2026-11-22T10:20:00.123456Z"
GONE = "b0b0b0b0-0000-4000-8000-00000000000f"


def submit(scene: Scene, **ended: Any) -> str:
    """Leave behind what a submitted deploy does, whose build is so by now; return the build."""
    build = scene.add_build() if ended else GONE
    if ended:
        scene.builds.advance(scene.builds.known[build], ended)
    keep_submission(open_store(scene.settings), ORDER, Submitted(build, "https://page"), "make deploy")
    return build


def make_release(scene: Scene, build: str, *, promoted: bool = False, error: str = "") -> str:
    """Leave behind what the steps of a build do; return the release."""
    store = open_store(scene.settings)
    made = Release(id="", pipeline="sentiment", commit="1" * 40, dirty=False, kind="full", parts={}, at=AT, build=build)
    release = keep_release(store, identified(made))
    if error:
        outcome = Outcome(run="r-1", at=AT, blessed=False, error=error, evaluation={"metrics": {}})
        keep_outcome(store, release.id, outcome)
    if promoted:
        make_current(store, release.id, if_generation=read_pointer(store).generation)
    return release.id


def add_run(scene: Scene, release: str, build: str, *snapshots: Snapshot) -> Tuple[Pipelines, str]:
    """Let Vertex AI have the run that a build makes of a release."""

    def execute(job: Dict[str, Any]) -> Iterator[Details]:
        return iter([snapshot_details(snapshot, {}) for snapshot in snapshots])

    runs, run = Pipelines(execute, Clock()), make_run_id("sentiment", release, build)
    scene.stand_in.add(pipelines.handlers(runs))
    runs.add(PARENT, run, {**bound_job(), "labels": {"pipeline": "sentiment", "release": release, "build": build}})
    return runs, run


def look_until(scene: Scene, runs: Pipelines, state: str) -> None:
    """Let the one run go on, which it does when it is looked at."""
    (job,) = runs.jobs.values()
    while job["state"] != f"PIPELINE_STATE_{state}":
        run_state(scene.api, scene.settings, job["name"])


def page(run: str) -> str:
    return (
        f"https://console.cloud.google.com/vertex-ai/locations/europe-west1/pipelines/runs/{run}?project=demo-project"
    )


def from_elsewhere(scene: Scene, tmp_path: Path) -> Settings:
    """Return the settings of another machine, whose state holds nothing."""
    return scene.settings.copy(update={"state": tmp_path / "elsewhere"})


def word(settings: Settings) -> str:
    return show_status(read_status(settings), "word")


def text(settings: Settings) -> List[str]:
    return show_status(read_status(settings), "text").splitlines()


def cancelled(scene: Scene) -> List[str]:
    said: List[str] = []
    cancel_deploy(scene.settings, said.append)
    return said


def logged(scene: Scene, *, follow: bool = False) -> List[str]:
    said: List[str] = []
    show_logs(scene.settings, said.append, follow=follow)
    return said


def test_before_the_first_deploy_there_is_nothing_to_see(scene: Scene) -> None:
    assert word(scene.settings) == "none"
    assert text(scene.settings) == ["deploying  nothing", "served     nothing yet. Run: make deploy-full ENV=dev"]
    for act in (cancelled, logged):
        with pytest.raises(StateError) as caught:
            act(scene)
        assert str(caught.value) == "dev: nothing was submitted yet. Run: make deploy ENV=dev"


def test_a_build_that_waits_or_runs_is_a_deploy_that_goes_on(scene: Scene, tmp_path: Path) -> None:
    build, store = submit(scene, status="QUEUED"), open_store(scene.settings)
    with hold_lease(store, what="make deploy", lease_s=60, wait_s=0, report=print) as lease:
        lease.hand_over(build, 60)
    elsewhere = from_elsewhere(scene, tmp_path)
    assert word(elsewhere) == "deploying"
    assert text(elsewhere)[0].endswith(f" UTC, build {build})")
    scene.builds.known[build]["status"] = "WORKING"
    renew(store, lease.token, 60, "step run")
    assert word(elsewhere) == "deploying"
    assert text(elsewhere)[0].endswith(f" UTC, build {build}, step run)")


def test_a_deploy_counts_from_its_submission_though_nobody_holds_the_environment(scene: Scene) -> None:
    build = submit(scene, status="QUEUED")
    assert word(scene.settings) == "deploying"
    assert text(scene.settings)[0] == f"deploying  make deploy, build {build}, since {AT}"


def test_the_lease_of_a_build_that_is_over_counts_no_more(scene: Scene) -> None:
    build, store = submit(scene, status="FAILURE", finishTime=FINISHED), open_store(scene.settings)
    with hold_lease(store, what="make deploy", lease_s=60, wait_s=0, report=print) as lease:
        lease.hand_over(build, 60)
    assert word(scene.settings) == "failed"


def test_what_is_served_is_told_from_anywhere(scene: Scene, tmp_path: Path) -> None:
    build = submit(scene, status="SUCCESS", finishTime=FINISHED)
    release = make_release(scene, build, promoted=True)
    runs, run = add_run(scene, release, build, {"Trainer": "SUCCEEDED"})
    look_until(scene, runs, "SUCCEEDED")
    elsewhere = from_elsewhere(scene, tmp_path)
    assert word(elsewhere) == "served"
    assert text(elsewhere) == [
        "deploying  nothing",
        f"last       make deploy, build {build} at 2026-11-22T10:20:00Z: succeeded",
        f"run        succeeded: {page(run)}",
        f"served     release {release} (full) of commit 1111111, made {AT}",
    ]


def test_a_deploy_that_failed_is_told_with_why(scene: Scene) -> None:
    build = submit(scene, status="FAILURE", finishTime=FINISHED, steps={"data": ("FAILURE", 9)})
    assert word(scene.settings) == "failed"
    assert text(scene.settings)[:4] == [
        "deploying  nothing",
        f"last       make deploy, build {build} at 2026-11-22T10:20:00Z: failed",
        f"           build {build}: failure.",
        "           Step data left with status 9.",
    ]


def test_a_deploy_that_was_not_submitted_is_told_where_it_was_typed(scene: Scene, tmp_path: Path) -> None:
    build = submit(scene, status="SUCCESS", finishTime=FINISHED)
    make_release(scene, build, promoted=True)
    with pytest.raises(PlanError), keeping_refusal(scene.settings, "make deploy-partial"):
        raise PlanError("A full deploy is needed")
    told = text(scene.settings)[2:4]
    assert re.sub(r"at \S+,", "at AT,", told[0]) == (
        "refused    make deploy-partial at AT, from this machine: it was not submitted"
    )
    assert told[1] == "           A full deploy is needed"
    assert not any(line.startswith("refused") for line in text(from_elsewhere(scene, tmp_path)))


def test_a_run_that_failed_is_told_in_its_own_words(scene: Scene) -> None:
    build = submit(scene, status="FAILURE", finishTime=FINISHED, steps={"run": ("FAILURE", 9)})
    make_release(scene, build, error="Trainer: no space left\nSee the log")
    assert text(scene.settings)[2:4] == ["           Trainer: no space left", "           See the log"]


def test_a_run_is_told_with_its_tasks_while_its_build_runs_and_after_it(scene: Scene, tmp_path: Path) -> None:
    build = submit(scene, status="WORKING")
    release = make_release(scene, build)
    said = {"Data": "SUCCEEDED", "Trainer": "RUNNING", "Pusher": "PENDING"}
    ended = {**said, "Trainer": "FAILED: exit 1\nmore", "Pusher": "NOT_TRIGGERED"}
    _, run = add_run(scene, release, build, said, ended)
    elsewhere = from_elsewhere(scene, tmp_path)
    assert text(elsewhere)[1:3] == [f"run        running: {page(run)}", "           … Trainer"]
    scene.builds.known[build].update(status="FAILURE", finishTime=FINISHED)
    text(elsewhere)
    assert text(elsewhere)[-3:-1] == [
        f"run        failed: {page(run)}",
        "           ✗ Trainer: exit 1",
    ]
    seen = json.loads(show_status(read_status(elsewhere), "json"))["run"]
    assert seen == {
        "run": run,
        "state": "failed",
        "running": [],
        "failed": {"Trainer": "exit 1\nmore (code 9, FAILED_PRECONDITION)"},
        "error": "",
        "link": page(run),
    }


def test_a_run_that_has_not_begun_or_cannot_be_seen_hinders_no_status(scene: Scene) -> None:
    build = submit(scene, status="WORKING")
    assert not any(line.startswith("run") for line in text(scene.settings))
    release = make_release(scene, build)
    runs = Pipelines(lambda job: iter([]), Clock())
    scene.stand_in.add(pipelines.handlers(runs))
    assert not any(line.startswith("run") for line in text(scene.settings))
    add_run(scene, release, build, {"Trainer": "RUNNING"})
    scene.stand_in.faults.add(Fault(r"aiplatform\..*\.get", "denied"))
    told = text(scene.settings)
    assert told[1] == f"run        unknown: {page(make_run_id('sentiment', release, build))}"
    assert told[2].startswith("           Google Cloud: cannot look at the run: Permission ")


def roll_back(settings: Settings, error: Optional[Exception] = None) -> None:
    """Leave behind what a rollback leaves that went so."""
    with recorded_rollback(open_store(settings), "make rollback"):
        if error:
            raise error


def test_a_rollback_is_the_last_that_was_seen_until_the_next_deploy(scene: Scene, tmp_path: Path) -> None:
    former = submit(scene, status="SUCCESS", finishTime=FINISHED)
    make_release(scene, former, promoted=True)
    build = submit(scene, status="FAILURE", finishTime=FINISHED)
    elsewhere = from_elsewhere(scene, tmp_path)
    assert word(elsewhere) == "failed"
    roll_back(scene.settings)
    assert word(elsewhere) == "served"
    assert re.fullmatch(r"last       make rollback at \S+Z: succeeded", text(elsewhere)[1])
    assert text(elsewhere)[2].startswith("served ")
    with pytest.raises(StateError):
        roll_back(scene.settings, StateError("release 0123456789ab: its model is gone"))
    assert word(elsewhere) == "failed"
    assert text(elsewhere)[2] == "           release 0123456789ab: its model is gone"
    # What a build came to can be looked at all the same.
    assert cancelled(scene) == [f"build {build} is over: failure"]
    submit(scene, status="SUCCESS", finishTime=FINISHED)
    assert word(elsewhere) == "served"


def test_a_rollback_that_was_killed_is_told_once_nobody_holds_the_environment(scene: Scene, tmp_path: Path) -> None:
    make_release(scene, submit(scene, status="SUCCESS", finishTime=FINISHED), promoted=True)
    elsewhere, store = from_elsewhere(scene, tmp_path), open_store(scene.settings)
    lease = hold_lease(store, what="make rollback", lease_s=60, wait_s=0, report=print)
    with lease, recorded_rollback(store, "make rollback"):
        begun = store.read(NAME)
        assert word(elsewhere) == "deploying"
    assert begun is not None
    store.write(NAME, begun.content)
    assert word(elsewhere) == "interrupted"
    assert text(elsewhere)[2] == "           To go on with it, run: make rollback ENV=dev"


def test_a_record_of_a_rollback_that_cannot_be_read_counts_as_none(scene: Scene) -> None:
    make_release(scene, submit(scene, status="SUCCESS", finishTime=FINISHED), promoted=True)
    open_store(scene.settings).write(NAME, b'{"when": 1}')
    assert word(scene.settings) == "served"


def test_a_model_that_missed_the_gate_is_told(scene: Scene) -> None:
    submit(scene, status="FAILURE", finishTime=FINISHED, steps={"run": ("FAILURE", 10)})
    assert word(scene.settings) == "not blessed"


def test_a_deploy_that_was_cancelled_can_be_gone_on_with(scene: Scene) -> None:
    build = submit(scene, status="CANCELLED", finishTime=FINISHED)
    assert word(scene.settings) == "interrupted"
    assert text(scene.settings)[1:3] == [
        f"last       make deploy, build {build} at 2026-11-22T10:20:00Z: interrupted",
        "           To go on with it, run: make deploy ENV=dev",
    ]


def test_a_build_that_cloud_build_has_forgotten_is_told_unless_its_release_is_served(scene: Scene) -> None:
    build = submit(scene)
    assert word(scene.settings) == "failed"
    assert f"           build {build}: Cloud Build does not know it any more" in text(scene.settings)
    make_release(scene, build, promoted=True)
    assert word(scene.settings) == "served"


def test_a_lost_manifest_is_told_with_commands_for_the_environment(scene: Scene) -> None:
    release = make_release(scene, submit(scene, status="SUCCESS"), promoted=True)
    open_store(scene.settings).delete([manifest_name(release)])
    assert text(scene.settings)[-1] == (
        f"served     release {release}, whose manifest is lost. "
        "Run: make rollback ENV=dev RELEASE=id, or make deploy ENV=dev"
    )


def test_cancel_ends_the_build_and_its_run_and_again_does_no_harm(scene: Scene) -> None:
    build = submit(scene, status="WORKING")
    release = make_release(scene, build)
    runs, run = add_run(scene, release, build, {"Trainer": "RUNNING"}, {"Trainer": "RUNNING"})
    assert cancelled(scene) == [f"cancelled build {build}", f"run {run}: cancelled"]
    assert scene.builds.known[build]["status"] == "CANCELLED"
    assert [job["state"] for job in runs.jobs.values()] == ["PIPELINE_STATE_CANCELLED"]
    assert cancelled(scene) == [f"build {build} is over: cancelled", f"run {run}: cancelled"]


def test_cancel_before_the_run_has_begun(scene: Scene) -> None:
    build = submit(scene, status="WORKING")
    assert cancelled(scene) == [f"cancelled build {build}"]
    release = make_release(scene, build)
    scene.stand_in.add(pipelines.handlers(Pipelines(lambda job: iter([]), Clock())))
    assert cancelled(scene)[1:] == [f"run {make_run_id('sentiment', release, build)}: has not begun"]


def test_cancel_where_cloud_build_does_not_know_the_build_any_more(scene: Scene) -> None:
    build = submit(scene)
    assert cancelled(scene) == [f"build {build}: Cloud Build does not know it any more"]


def test_who_may_not_cancel_is_told_so(scene: Scene) -> None:
    submit(scene, status="WORKING")
    scene.stand_in.faults.add(Fault(CANCEL, "denied"))
    with pytest.raises(GoogleError, match="cannot cancel the build: Permission 'cloudbuild.builds.cancel' denied"):
        cancelled(scene)


def test_the_logs_are_those_of_the_build_and_of_its_runs_tasks(scene: Scene) -> None:
    build = submit(scene, status="SUCCESS")
    scene.builds.write(build, "MAIN", "FETCHSOURCE")
    scene.builds.write(build, "run", "a line\nand another")
    scene.builds.write("another build", "run", "nothing of ours")
    assert logged(scene) == ["MAIN: FETCHSOURCE", "run: a line", "run: and another"]
    release = make_release(scene, build)
    add_run(scene, release, build, {"Trainer": "SUCCEEDED"})
    scene.logs.add("ml_job", {"job_id": "2"}, "epoch 1")
    assert logged(scene)[3:] == ["Trainer: epoch 1"]
    assert logged(scene, follow=True)[3:] == ["Trainer: epoch 1"]


def test_the_logs_of_a_run_that_has_not_begun(scene: Scene) -> None:
    build = submit(scene, status="WORKING")
    release = make_release(scene, build)
    scene.stand_in.add(pipelines.handlers(Pipelines(lambda job: iter([]), Clock())))
    assert logged(scene) == [f"run {make_run_id('sentiment', release, build)}: has not begun"]


def test_on_this_machine_there_is_nothing_in_google_cloud_to_end_or_to_read(
    make_settings: Callable[..., Settings],
) -> None:
    local = make_settings()
    for act in (lambda: cancel_deploy(local, print), lambda: show_logs(local, print, follow=False)):
        with pytest.raises(StateError) as caught:
            act()
        assert str(caught.value) == (
            "ENV=local: deploys here run in the terminal, or in a process of their own; "
            f"their logs lie in {local.state}/logs.\n"
            "Expected the name of a Google Cloud environment, such as ENV=dev"
        )
