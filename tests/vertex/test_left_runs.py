from typing import Callable, Dict, List

import pytest

from esteira.local.cloud.faults import Fault
from esteira.vertex.run import run_release
from tests.vertex.scripted import BUILD, LINK, RELEASE, RUN, Project, bound_job

pytestmark = pytest.mark.loopback
LIST = "aiplatform.projects.locations.pipelineJobs.list"
CANCEL = "aiplatform.projects.locations.pipelineJobs.cancel"
FORMER = "b0b0b0b0-0000-4000-8000-00000000000e"
DONE = {"Trainer": "SUCCEEDED"}
MakeProject = Callable[..., Project]


def run(project: Project, build: str = BUILD) -> None:
    api, say = project.api(), project.said.append
    run_release(project.settings, api, project.store, RELEASE, bound_job(), build, say, pause=project.pause)


def states(project: Project) -> Dict[str, str]:
    return {name.rpartition("/")[2]: job["state"][15:].lower() for name, job in project.pipelines.jobs.items()}


def cancelled(project: Project) -> List[str]:
    return [call.path.partition("pipelineJobs/")[2].partition(":")[0] for call in project.stand_in.called(CANCEL)]


def test_what_a_build_that_took_too_long_has_left_is_ended_before_the_next_run(make_project: MakeProject) -> None:
    project = make_project(DONE)
    project.add_run("left", build=FORMER)
    run(project)
    assert states(project) == {"left": "cancelling", RUN: "succeeded"}
    assert project.said[:2] == [
        f"run left: cancelled, as its build {FORMER} has left it: {LINK.replace(RUN, 'left')}",
        f"run {RUN}: {LINK}",
    ]
    calls = [call.method for call in project.stand_in.calls]
    assert calls.index(CANCEL) < calls.index("aiplatform.projects.locations.pipelineJobs.create")


def test_runs_of_others_and_what_is_over_are_left_alone(make_project: MakeProject) -> None:
    project = make_project(DONE)
    project.add_run("ours-already", build=BUILD)
    project.add_run("by-hand", build="by-hand-20260101t000000")
    project.add_run("scheduled", build="")
    project.add_run("of-another-environment", build=FORMER, environment="live")
    project.add_run("of-another-pipeline", build=FORMER, pipeline="prices")
    project.add_run("over", build=FORMER)
    list(project.pipelines.jobs.values())[-1]["state"] = "PIPELINE_STATE_FAILED"
    run(project)
    assert cancelled(project) == []


def test_who_types_the_step_ends_nobodys_run(make_project: MakeProject) -> None:
    project = make_project(DONE)
    project.add_run("left", build=FORMER)
    run(project, "")
    assert cancelled(project) == []


@pytest.mark.parametrize("method", [LIST, CANCEL])
def test_a_run_that_cannot_be_ended_is_told_and_hinders_nothing(make_project: MakeProject, method: str) -> None:
    project = make_project({"Trainer": "RUNNING"}, DONE)
    project.add_run("left", build=FORMER)
    project.stand_in.faults.add(Fault(method, "denied"))
    run(project)
    assert project.said[0].startswith("Google Cloud: cannot ")
    assert project.said[0].endswith("\nRuns that former builds have left may go on.")
    assert states(project)[RUN] == "succeeded"
