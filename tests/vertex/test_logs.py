from typing import Callable

import pytest

from esteira.errors import GoogleError
from esteira.local.cloud.faults import Fault
from esteira.vertex.logs import build_logs, run_filter, run_logs
from tests.vertex.scripted import BUILD, RUN, Project

pytestmark = pytest.mark.loopback
MakeProject = Callable[..., Project]


def test_the_filter_names_the_run_and_the_custom_jobs_of_its_tasks() -> None:
    events = f'(resource.type="aiplatform.googleapis.com/PipelineJob" AND resource.labels.pipeline_job_id="{RUN}")'
    assert run_filter(RUN, []) == events
    assert run_filter(RUN, ["2", "3"]) == (
        f'{events} OR (resource.type="ml_job" AND resource.labels.job_id=("2" OR "3"))'
    )


def test_lines_bear_the_name_of_their_task(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "RUNNING", "Evaluator": "RUNNING"})
    project.add_run()
    project.logs.add_task_line("2", "epoch 1\nepoch 2")
    project.logs.add("aiplatform.googleapis.com/PipelineJob", {"pipeline_job_id": RUN}, "begun")
    project.logs.add_task_line("3", "evaluated")
    project.logs.add_task_line("99", "of another run")
    lines = list(run_logs(project.api(), project.settings, RUN))
    assert lines == ["Trainer: epoch 1", "Trainer: epoch 2", "run: begun", "Evaluator: evaluated"]


def test_a_run_is_followed_to_its_end_and_tasks_that_begin_later_are_heard(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "RUNNING"}, {"Trainer": "SUCCEEDED", "Evaluator": "RUNNING"})
    project.add_run()
    project.logs.add_task_line("2", "one")

    def write(seconds: float) -> None:
        project.paused_s.append(seconds)
        project.logs.add_task_line(str(1 + len(project.paused_s)), f"after {len(project.paused_s)}")

    lines = list(run_logs(project.api(), project.settings, RUN, follow=True, pause=write))
    assert lines == ["Trainer: one", "Trainer: after 1", "Evaluator: after 2"]
    assert project.paused_s == [2.0, 3.0]


def test_a_builds_lines_bear_the_id_of_their_step(make_project: MakeProject) -> None:
    project = make_project()
    labels = {"build_step": 'Step #2 - "compile"'}
    project.logs.add("build", {"build_id": BUILD}, "compiled\nwritten", entry_labels=labels)
    project.logs.add("build", {"build_id": BUILD}, "DONE", entry_labels={"build_step": "MAIN"})
    project.logs.add("build", {"build_id": "another"}, "not this")
    lines = list(build_logs(project.api(), BUILD, lambda: True))
    assert lines == ["compile: compiled", "compile: written", "MAIN: DONE"]


def test_a_log_that_must_not_be_read_is_told(make_project: MakeProject) -> None:
    project = make_project({"Trainer": "RUNNING"})
    project.add_run()
    project.stand_in.faults.add(Fault("logging.entries.list", "denied"))
    with pytest.raises(GoogleError, match=r"^Google Cloud: cannot read the log in Cloud Logging: Permission '"):
        list(run_logs(project.api(), project.settings, RUN))
