from typing import Callable

import pytest

from esteira.errors import GoogleError
from esteira.google.refusals import NotFoundError
from esteira.local.cloud.faults import Fault
from esteira.vertex.runs import cancel_run, list_runs, run_state
from esteira.vertex.tasks import TaskState
from tests.vertex.scripted import BUILD, LINK, RELEASE, RUN, Project

pytestmark = pytest.mark.loopback
CANCEL = "aiplatform.projects.locations.pipelineJobs.cancel"
MakeProject = Callable[..., Project]


def test_the_state_of_a_run_tells_its_tasks(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "FAILED: exit 1", "Pusher": "PENDING"})
    project.add_run()
    state = run_state(project.api(), project.settings, RUN)
    assert (state.run, state.state, state.release, state.ended, state.link) == (RUN, "running", RELEASE, "", LINK)
    assert state.tasks == [
        TaskState("Trainer", "failed", 61.5, "exit 1 (code 9, FAILED_PRECONDITION)", ["2"]),
        TaskState("Pusher", "waiting", None, "", ["3"]),
    ]
    ended = run_state(project.api(), project.settings, RUN)
    assert (ended.state, ended.is_over) == ("failed", True)
    assert ended.error == (
        "The DAG failed because some tasks failed. The failed tasks are: [Trainer]. (code 9, FAILED_PRECONDITION)"
    )


def test_runs_are_listed_by_release_the_latest_first(make_project: MakeProject) -> None:
    project = make_project()
    for run, release in (("run-1", RELEASE), ("run-2", "b" * 12), ("run-3", RELEASE)):
        project.add_run(run, release)
    api = project.api()
    assert [state.run for state in list_runs(api, project.settings)] == ["run-3", "run-2", "run-1"]
    assert [state.run for state in list_runs(api, project.settings, RELEASE)] == ["run-3", "run-1"]


def test_only_the_environments_own_runs_are_listed(make_project: MakeProject) -> None:
    project = make_project()
    project.add_run("run-1", environment="live")
    project.add_run("run-2", pipeline="prices")
    project.add_run("run-3")
    assert [state.run for state in list_runs(project.api(), project.settings)] == ["run-3"]


def test_unfinished_runs_alone_are_listed_if_that_is_asked_for(make_project: MakeProject) -> None:
    project = make_project()
    states = ("PENDING", "QUEUED", "RUNNING", "PAUSED", "CANCELLING", "SUCCEEDED", "FAILED", "CANCELLED")
    for state in states:
        project.add_run(state.lower())
        list(project.pipelines.jobs.values())[-1]["state"] = f"PIPELINE_STATE_{state}"
    unfinished = list_runs(project.api(), project.settings, unfinished=True)
    assert [(state.run, state.build) for state in unfinished] == [
        (run, BUILD) for run in ("paused", "running", "queued", "pending")
    ]


def test_a_cancelled_run_is_waited_for(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "RUNNING"}, {"Trainer": "RUNNING"})
    project.add_run()
    ended = cancel_run(project.api(), project.settings, RUN, say=project.said.append, pause=project.pause)
    assert (ended.state, ended.error) == ("cancelled", "The pipeline was cancelled. (code 1, CANCELLED)")
    assert project.said == ["- Trainer: cancelled"]


def test_what_is_over_is_not_cancelled_again(make_project: MakeProject) -> None:
    project = make_project()
    project.add_run()
    for _ in range(2):
        assert cancel_run(project.api(), project.settings, RUN, pause=project.pause).state == "succeeded"
    assert project.stand_in.called(CANCEL) == []


def test_a_cancellation_whose_answer_is_lost_is_asked_for_again(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "RUNNING"}, {"Trainer": "RUNNING"})
    project.add_run()
    project.stand_in.faults.add(Fault(CANCEL, "lost"))
    assert cancel_run(project.api(), project.settings, RUN, pause=project.pause).state == "cancelled"
    assert len(project.stand_in.called(CANCEL)) == 2


def test_a_run_that_ended_before_it_could_be_cancelled_is_told_as_it_ended(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "SUCCEEDED"})
    project.add_run()
    project.stand_in.faults.add(Fault(CANCEL, "denied"))
    assert cancel_run(project.api(), project.settings, RUN, pause=project.pause).state == "succeeded"


def test_a_run_that_must_not_be_cancelled_says_so(make_project: MakeProject) -> None:
    project = make_project(*[{"Trainer": "RUNNING"}] * 9)
    project.add_run()
    project.stand_in.faults.add(Fault(CANCEL, "denied"))
    with pytest.raises(GoogleError, match=r"^Google Cloud: cannot cancel the run: Permission '"):
        cancel_run(project.api(), project.settings, RUN, pause=project.pause)


def test_a_run_that_is_not_there_is_told(make_project: MakeProject) -> None:
    project = make_project()
    with pytest.raises(NotFoundError) as caught:
        cancel_run(project.api(), project.settings, "run-9")
    assert str(caught.value) == (
        "Google Cloud: cannot look at the run: PipelineJob projects/demo-project/locations/europe-west1/"
        "pipelineJobs/run-9 not found."
    )
