"""A posted job run for real, its tasks small scripts: watched over HTTP as a run on Vertex AI is."""

import json
import time
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from esteira.local.cloud import logs, pipelines
from esteira.local.cloud.execute import execute_job
from esteira.local.cloud.logs import Logs
from esteira.local.cloud.pipelines import Details, Pipelines
from esteira.local.cloud.server import served
from esteira.release.manifest import Outcome
from esteira.settings import Settings
from esteira.vertex.run import run_release
from esteira.vertex.runs import cancel_run
from tests.local.jobs.handmade import HandmadeJob
from tests.vertex.scripted import BUCKET, BUILD, RELEASE, RUN, Project

pytestmark = [pytest.mark.programs, pytest.mark.loopback]
REPORT = {"blessed": True, "baseline": None, "metrics": {}, "baseline_metrics": None, "thresholds": [], "slices": {}}
READ = "text = open(given['inputs']['parameters']['data']['stringValue'] + '/train.csv').read(); "
WRITE_REPORT = f"{READ} assert text == 'rows'; open(out('report') + '/report.json', 'w').write({json.dumps(REPORT)!r})"
PUSH = (
    "place = json.loads(given['inputs']['parameters']['push']['stringValue'])['folder'] + '/7'; os.makedirs(place); "
    "open(place + '/saved_model.pb', 'w').write('model'); answer(pushed_model={'pushed_destination': place})"
)


class Executed(Project):
    """A project whose jobs are run on this machine."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        super().__init__(settings, folder / "bucket")
        self.folder = folder / "machine"
        self.pipelines = Pipelines(self.execute)
        self.logs = Logs()
        self.stand_in.add({**pipelines.handlers(self.pipelines), **logs.handlers(self.logs)})

    def execute(self, job: Dict[str, Any]) -> Iterator[Details]:
        log = self.logs.add_task_line
        return execute_job(job, settings=self.settings, store=self.store, folder=self.folder, log=log)

    def run(self, job: HandmadeJob, build: str = BUILD) -> Outcome:
        arguments = (self.settings, self.api(), self.store, RELEASE, job.document, build, self.said.append)
        return run_release(*arguments, pause=lambda s: time.sleep(0.01))


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Iterator[Executed]:
    run = settings.run.copy(update={"isolation": "process"})
    made = Executed(settings.copy(update={"run": run}), tmp_path)
    with served(made.stand_in):
        yield made


def make_job(report: str = WRITE_REPORT) -> HandmadeJob:
    job = HandmadeJob(Path("unused"), pipeline="sentiment")
    job.document["runtimeConfig"]["gcsOutputDirectory"] = f"{BUCKET}/root"
    data = {"data": {"componentInputParameter": "data_uri"}}
    push = {"push": {"componentInputParameter": "push_destination"}}
    job.script("EvaluationReport", report, outputs={"report": "tfx.ModelEvaluation"}, parameters=data)
    job.script("Pusher", PUSH, outputs={"pushed_model": "tfx.PushedModel"}, parameters=push)
    for name, parameters in (("EvaluationReport", data), ("Pusher", push)):
        declared = {key: {"type": "STRING"} for key in parameters}
        job.components[name]["inputDefinitions"] = {"parameters": declared}
    values = {"data_uri": f"{BUCKET}/data/1", "push_destination": json.dumps({"folder": f"{BUCKET}/serving"})}
    declared = {key: {"type": "STRING"} for key in values}
    job.document["pipelineSpec"]["root"]["inputDefinitions"] = {"parameters": declared}
    parameters = {key: {"stringValue": value} for key, value in values.items()}
    job.document["runtimeConfig"]["parameters"] = parameters
    return job


def test_a_job_reads_the_bucket_and_writes_into_it(project: Executed) -> None:
    project.store.write("data/1/train.csv", b"rows")
    outcome = project.run(make_job())
    assert (outcome.error, outcome.evaluation) == ("", REPORT)
    assert (outcome.blessed, outcome.model) == (True, f"{BUCKET}/serving/7")
    names = [entry.name for entry in project.store.list("")]
    assert "serving/7/saved_model.pb" in names
    assert f"root/{RUN}/EvaluationReport_1/report/report.json" in names
    (job,) = project.pipelines.jobs.values()
    root, report, pusher = job["jobDetail"]["taskDetails"]
    assert (root["taskName"], root["state"]) == (RUN, "SUCCEEDED")
    assert report["outputs"]["report"]["artifacts"][0]["uri"] == f"{BUCKET}/root/{RUN}/EvaluationReport_1/report"
    assert pusher["outputs"]["pushed_model"]["artifacts"][0]["metadata"] == {
        "pushed_destination": f"{BUCKET}/serving/7"
    }


def test_the_next_run_takes_its_tasks_from_the_cache(project: Executed) -> None:
    project.store.write("data/1/train.csv", b"rows")
    first = project.run(make_job())
    second = project.run(make_job(), "b2")
    assert (second.model, second.evaluation) == (first.model, first.evaluation)
    assert [line.split()[:3] for line in project.said[-2:]] == [
        ["=", "EvaluationReport:", "cached"],
        ["=", "Pusher:", "cached"],
    ]


def test_a_task_that_fails_is_told_with_its_log(project: Executed) -> None:
    project.store.write("data/1/train.csv", b"other rows")
    lines = project.run(make_job()).error.splitlines()
    assert lines[0] == (
        "task EvaluationReport: failed: The replica workerpool0-0 exited with a non-zero status. "
        "(code 9, FAILED_PRECONDITION)"
    )
    assert lines[1] == "The end of its log:"
    assert "  AssertionError" in lines


def test_a_job_that_cannot_be_run_fails(project: Executed) -> None:
    job = make_job()
    job.tasks["Pusher"]["triggerPolicy"] = {"condition": "nonsense("}
    assert project.run(job).error.startswith(f"run {RUN}: failed: ")


def test_a_cancelled_run_begins_no_further_task(project: Executed) -> None:
    project.store.write("data/1/train.csv", b"rows")
    job = make_job("time.sleep(0.5)")
    job.tasks["Pusher"]["dependentTasks"] = ["EvaluationReport"]
    api, body = project.api(), job.document
    project.pipelines.add("projects/demo-project/locations/europe-west1", RUN, body)
    pause = lambda s: time.sleep(0.01)  # noqa: E731
    assert cancel_run(api, project.settings, RUN, pause=pause).state == "cancelled"
    time.sleep(1.0)
    assert not (project.folder / "sentiment" / "serving").exists()
