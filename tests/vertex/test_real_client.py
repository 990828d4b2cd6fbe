"""Google's own client and ours post the same, and read the same."""

import json
import os
import sys
from typing import Any, Callable, Dict

import pytest

from esteira.local.cloud.server import Call
from esteira.process import run_program
from esteira.vertex.job import make_body, run_labels
from esteira.vertex.run import submit_run
from esteira.vertex.schedule import apply_schedule
from tests.conftest import REPOSITORY
from tests.vertex.scripted import BUILD, GOLDEN, LINK, PUSHED, RELEASE, RUN, Project, bound_job, in_dev, release_of

pytestmark = [pytest.mark.loopback, pytest.mark.programs, pytest.mark.slow]
CREATE = "aiplatform.projects.locations.pipelineJobs.create"
SCHEDULE = "aiplatform.projects.locations.schedules.create"
KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
# Google's client sends values of enums by number, as aiplatform's PipelineFailurePolicy has them.
NAMES = {"failurePolicy": {2: "PIPELINE_FAILURE_POLICY_FAIL_FAST"}}


def answer_bucket(call: Call) -> Dict[str, Any]:
    return {"kind": "storage#bucket", "id": "demo-bucket", "name": "demo-bucket"}


def test_both_post_the_same_job_and_schedule_and_the_client_reads_the_run(make_project: Callable[..., Project]) -> None:
    states = {"Trainer": "SKIPPED", "EvaluationReport": "SUCCEEDED", "Pusher": "SUCCEEDED"}
    project = make_project(*[states] * 9)
    settings = in_dev(project.settings, network="projects/1/global/networks/n", kms_key=KEY)
    settings = settings.copy(update={"cloud": settings.cloud.copy(update={"schedule": "0 6 * * 1"})})
    submit_run(project.api(), settings, RUN, RELEASE, BUILD, bound_job())
    apply_schedule(settings, project.api(), release_of(), bound_job())
    project.pipelines.jobs.clear()
    project.stand_in.add({"storage.buckets.get": answer_bucket})
    labels = json.dumps(make_body(settings, bound_job(), run_labels(settings, RELEASE, BUILD))["labels"])
    command = [sys.executable, "-m", "tests.vertex.real_client", project.stand_in.url, str(GOLDEN), RUN, labels]
    environ = {**os.environ, **project.stand_in.variables(), "PYTHONWARNINGS": "ignore"}
    told = json.loads(run_program(command, cwd=REPOSITORY, env=environ).splitlines()[-1])
    assert told == {
        "link": LINK.replace("demo-project", "123456789012"),
        "state": "PIPELINE_STATE_RUNNING",
        "tasks": {RUN: "RUNNING", **states},
        "pushed": {"pushed_destination": PUSHED},
        "schedule": "ACTIVE",
    }
    ours, theirs = project.stand_in.called(CREATE)
    assert theirs.parameters["parent"] == ours.parameters["parent"]
    assert theirs.parameters["pipelineJobId"] == ours.parameters["pipelineJobId"] == RUN
    assert as_values(theirs.body) == as_values(ours.body)
    our_schedule, their_schedule = (as_values(call.body) for call in project.stand_in.called(SCHEDULE))
    our_labels = our_schedule["createPipelineJobRequest"]["pipelineJob"].pop("labels")
    assert set(our_labels) - {"content"} < set(json.loads(labels))
    their_schedule["createPipelineJobRequest"]["pipelineJob"].pop("labels")
    # The client gives the runs of its schedules no name for people.
    assert our_schedule["createPipelineJobRequest"]["pipelineJob"].pop("displayName") == "sentiment"
    # Of this version of the client, which knows a limit for the beginning of runs only.
    assert our_schedule.pop("maxConcurrentActiveRunCount") == "1"
    assert their_schedule == our_schedule


def as_values(value: Any) -> Any:
    """Return a body as a copy with enums by name, without what is empty or false: protocol buffers do not send it."""
    if isinstance(value, dict):
        kept = {key: inner for key, inner in value.items() if inner not in (None, "", False, {}, [])}
        return {key: as_values(NAMES[key].get(inner, inner) if key in NAMES else inner) for key, inner in kept.items()}
    return [as_values(inner) for inner in value] if isinstance(value, list) else value
