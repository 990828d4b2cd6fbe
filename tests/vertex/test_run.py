import os
import signal
import threading
from typing import Callable

import pytest

from esteira.errors import GoogleError, JobError
from esteira.local.cloud.faults import Fault
from esteira.release.manifest import Outcome
from esteira.vertex.run import run_release
from tests.vertex.scripted import BUCKET, BUILD, LINK, PUSHED, RELEASE, RUN, Project, bound_job

pytestmark = pytest.mark.loopback
CREATE = "aiplatform.projects.locations.pipelineJobs.create"
GET = "aiplatform.projects.locations.pipelineJobs.get"
CANCEL = "aiplatform.projects.locations.pipelineJobs.cancel"
GOOD = (
    {"Trainer": "PENDING"},
    {"Trainer": "RUNNING"},
    {"Trainer": "SKIPPED", "EvaluationReport": "SUCCEEDED", "Pusher": "SUCCEEDED"},
)
MakeProject = Callable[..., Project]


def run(project: Project, build: str = BUILD, *, retry_s: float = 60.0) -> Outcome:
    return run_release(
        project.settings,
        project.api(retry_s),
        project.store,
        RELEASE,
        bound_job(),
        build,
        project.said.append,
        pause=project.pause,
    )


def test_a_run_is_told_as_it_goes_and_comes_to_the_verdict_of_its_report(make_project: MakeProject) -> None:
    project = make_project(*GOOD)
    evaluation = project.report(blessed=True)
    outcome = run(project)
    assert outcome == Outcome(run=RUN, at=outcome.at, blessed=True, evaluation=evaluation, model=PUSHED, logs=LINK)
    assert project.said == [
        f"run {RUN}: {LINK}",
        "… Trainer",
        "= Trainer: cached 61.5 s",
        "✓ EvaluationReport: succeeded 61.5 s",
        "✓ Pusher: succeeded 61.5 s",
    ]
    assert project.paused_s == [1.0, 1.5, 2.25]


def test_a_model_that_is_not_blessed_comes_with_the_thresholds_that_it_missed(make_project: MakeProject) -> None:
    project = make_project({"EvaluationReport": "SUCCEEDED", "Pusher": "NOT_TRIGGERED"})
    evaluation = project.report(blessed=False)
    outcome = run(project)
    error = "macro_f1 is 0.410, expected ≥ 0.600 (baseline none)"
    assert outcome == Outcome(run=RUN, at=outcome.at, blessed=False, error=error, evaluation=evaluation, logs=LINK)
    assert project.said[-1] == "- Pusher: skipped 61.5 s"


def test_a_failed_task_is_told_with_its_error_the_end_of_its_log_and_links(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "FAILED: The replica workerpool0-0 exited with a non-zero status of 1."})
    for line in ("before", "Traceback:\nValueError: no such column", ""):
        project.logs.add_task_line("2", line)
    project.logs.add_task_line("3", "another task's")
    outcome = run(project)
    message = "failed: The replica workerpool0-0 exited with a non-zero status of 1. (code 9, FAILED_PRECONDITION)"
    log = (
        "https://console.cloud.google.com/logs/query;query=resource.type%3D%22ml_job%22%20AND%20"
        "resource.labels.job_id%3D%28%222%22%29?project=demo-project"
    )
    assert outcome.error == (
        f"task Trainer: {message}\nThe end of its log:\n  before\n  Traceback:\n  ValueError: no such column\n"
        f"The whole log: {log}\nThe run: {LINK}"
    )
    assert (outcome.blessed, outcome.evaluation, outcome.logs) == (False, {}, LINK)
    assert project.said[-1] == f"✗ Trainer: failed 61.5 s: {message[8:]}"


def test_a_failed_task_whose_log_cannot_be_read_is_told_all_the_same(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "FAILED: exit 1"})
    project.stand_in.faults.add(Fault("logging.entries.list", "denied"))
    first, second, third = run(project).error.splitlines()
    assert first == "task Trainer: failed: exit 1 (code 9, FAILED_PRECONDITION)"
    assert second.startswith("The whole log: https://console.cloud.google.com/logs/query;query=")
    assert third == f"The run: {LINK}"


def test_a_run_that_somebody_cancelled_says_so(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "RUNNING"}, {"Trainer": "RUNNING"})
    pause = project.pause

    def cancel_once(seconds: float) -> None:
        pause(seconds)
        if len(project.paused_s) == 1:
            name = next(iter(project.pipelines.jobs))
            project.pipelines.jobs[name]["state"] = "PIPELINE_STATE_CANCELLING"

    project.pause = cancel_once  # type: ignore[method-assign]
    assert run(project).error == (f"run {RUN}: was cancelled.\nThe run: {LINK}\nTo run it again: make deploy ENV=dev")
    assert project.said[-1] == "- Trainer: cancelled"


def test_a_run_without_a_report_says_what_is_missing(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "SUCCEEDED"})
    assert run(project).error == (
        "pipeline/pipeline.py: the run has no task EvaluationReport with an output report. "
        "Its tasks are: Trainer. Expected it, as it tells whether the model may be served."
    )


def test_a_report_that_is_lost_is_told_with_its_place(make_project: MakeProject) -> None:
    project = make_project(*GOOD)
    place = f"{BUCKET}/root/123456789012/{RUN}/EvaluationReport_1/report/report.json"
    assert run(project).error == (
        f"{place}: is not there.\nExpected what the run's EvaluationReport wrote, below {BUCKET}/root"
    )


def test_a_pusher_that_pushed_nothing_is_told(make_project: MakeProject) -> None:
    project = make_project(*GOOD)
    project.report(blessed=True)
    project.outputs["Pusher"]["pushed_model"]["artifacts"][0]["metadata"].clear()
    assert run(project).error == (
        "pipeline/pipeline.py: Pusher pushed no model, though it is blessed.\n"
        "Expected its pushed_model to tell pushed_destination, as TFX's own Pusher does."
    )


def test_a_build_that_asks_twice_makes_one_run(make_project: MakeProject) -> None:
    project = make_project(*GOOD)
    project.report(blessed=True)
    first = run(project)
    assert run(project).copy(update={"at": first.at}) == first
    assert len(project.pipelines.jobs) == 1
    assert run(project, "another-build").run != RUN
    assert len(project.pipelines.jobs) == 2


@pytest.mark.parametrize("kind", ["busy", "unavailable", "reset", "lost"])
def test_a_request_that_fails_in_passing_makes_one_run(make_project: MakeProject, kind: str) -> None:
    project = make_project(*GOOD)
    project.report(blessed=True)
    project.stand_in.faults.add(Fault(CREATE, kind, times=1))  # type: ignore[arg-type]
    assert run(project).blessed
    assert list(project.pipelines.jobs) == [f"projects/123456789012/locations/europe-west1/pipelineJobs/{RUN}"]


def test_another_run_of_that_name_is_left_alone(make_project: MakeProject) -> None:
    project = make_project(*GOOD)
    run(project)
    (job,) = project.pipelines.jobs.values()
    job["labels"]["build"] = "of-others"
    with pytest.raises(JobError) as caught:
        run(project)
    assert str(caught.value) == (
        f"run {RUN}: there is one of that name already, which is not of release {RELEASE} and build {BUILD}: {LINK}\n"
        "Expected none. Deploy again: make deploy ENV=dev"
    )


def test_a_missing_permission_is_told_with_its_remedy(make_project: MakeProject) -> None:
    project = make_project(*GOOD)
    project.stand_in.faults.add(Fault(CREATE, "denied"))
    with pytest.raises(GoogleError) as caught:
        run(project)
    first, second = str(caught.value).splitlines()
    assert first.startswith("Google Cloud: cannot create the run: Permission '")
    assert second == (
        "Whoever runs this lacks aiplatform.pipelineJobs.create. For a person, an owner runs: gcloud projects "
        "add-iam-policy-binding demo-project --member=user:NAME@EXAMPLE.COM --role=roles/aiplatform.user"
        "    For an account of Esteira: make cloud-apply ENV=dev"
    )


def test_an_exceeded_quota_is_told_with_where_to_ask_for_more(make_project: MakeProject) -> None:
    project = make_project(*GOOD)
    project.stand_in.faults.add(Fault(CREATE, "quota", times=9))
    with pytest.raises(GoogleError) as caught:
        run(project, retry_s=0.0)
    assert str(caught.value) == (
        "Google Cloud: cannot create the run: Quota exceeded for quota metric 'aiplatform' of service "
        "'aiplatform.googleapis.com'.\nWait a minute and run the command again, or ask for more: "
        "https://console.cloud.google.com/iam-admin/quotas?project=demo-project"
    )


def test_looks_that_fail_for_a_while_do_not_end_the_run(make_project: MakeProject) -> None:
    project = make_project(*GOOD)
    project.report(blessed=True)
    project.stand_in.faults.add(Fault(GET, "unavailable", times=3, skip=1))
    assert run(project, retry_s=0.0).blessed
    assert project.said[1] == (
        "Google Cloud: cannot look at the run: The service is currently unavailable."
        "    The run goes on; it is asked for again."
    )
    assert project.paused_s == [1.0, 1.5, 2.25, 3.375, 5.0625, 7.59375]


def test_looks_that_are_refused_say_where_the_run_goes_on(make_project: MakeProject) -> None:
    project = make_project(*GOOD)
    project.stand_in.faults.add(Fault(GET, "denied"))
    with pytest.raises(GoogleError) as caught:
        run(project)
    assert str(caught.value).splitlines()[-1] == f"The run goes on: {LINK}"
    assert caught.value.status == 403


@pytest.mark.parametrize(("build", "cancelled"), [(BUILD, 1), ("", 0)])
def test_an_interruption_cancels_a_builds_run_and_leaves_one_by_hand(
    make_project: MakeProject, build: str, cancelled: int
) -> None:
    project = make_project(*[{"Trainer": "RUNNING"}] * 9)
    assert threading.current_thread() is threading.main_thread()

    def stop(seconds: float) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    project.pause = stop  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        run(project, build)
    assert len(project.stand_in.called(CANCEL)) == cancelled
    (job,) = project.pipelines.jobs.values()
    link = LINK.replace(RUN, job["name"].rpartition("/")[2])
    left = f"The run is cancelled, as its build was: {link}"
    assert project.said[-1] == (left if build else f"The run goes on: {link}\nTo end it: make cancel ENV=dev")


def test_a_cancellation_that_is_refused_is_told(make_project: MakeProject) -> None:
    project = make_project(*[{"Trainer": "RUNNING"}] * 9)
    project.stand_in.faults.add(Fault(CANCEL, "denied"))

    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    project.pause = stop  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        run(project)
    assert project.said[-1].splitlines()[-2:] == [f"The run goes on: {LINK}", "To end it: make cancel ENV=dev"]
