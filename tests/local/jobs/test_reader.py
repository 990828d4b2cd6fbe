from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from esteira.errors import JobError
from esteira.local.jobs.reader import read_job
from esteira.local.jobs.spec import Constant, Container, RuntimeParameter, TaskOutput
from tests.local.jobs.handmade import HandmadeJob

Change = Callable[[HandmadeJob], None]


def spec(job: HandmadeJob) -> Dict[str, Any]:
    found: Dict[str, Any] = job.document["pipelineSpec"]
    return found


UNSUPPORTED = {
    "parameterIterator": lambda job: job.tasks["one"].update(parameterIterator={"itemInput": "x"}),
    "retryPolicy": lambda job: job.tasks["one"].update(retryPolicy={"maxRetryCount": 3}),
    "triggerPolicy.strategy": lambda job: job.tasks["one"].update(
        triggerPolicy={"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    ),
    "executorLabel": lambda job: job.components.update(one={"dag": {"tasks": {}}}),
    "one_executor.resolver": lambda job: job.executors.update(one_executor={"customJob": {}}),
    "lifecycle.postStop": lambda job: job.executors["one_executor"]["container"].update(lifecycle={"postStop": {}}),
    "componentInputArtifact": lambda job: job.tasks["one"]["inputs"]["artifacts"].update(
        x={"componentInputArtifact": "y"}
    ),
    "dag.outputs": lambda job: spec(job)["root"]["dag"].update(outputs={}),
    "schemaVersion": lambda job: spec(job).update(schemaVersion="3.0.0"),
    "container.command": lambda job: job.executors["one_executor"]["container"].update(command=[]),
    "runtimeConfig.failurePolicy": lambda job: job.document["runtimeConfig"].update(failurePolicy="FAST"),
}


@pytest.mark.parametrize("place", UNSUPPORTED)
def test_what_is_not_supported_is_an_error_that_names_its_place(place: str, tmp_path: Path) -> None:
    job = HandmadeJob(tmp_path).script("one")
    change: Change = UNSUPPORTED[place]
    change(job)
    with pytest.raises(JobError) as caught:
        read_job(job.document)
    found = str(caught.value)
    assert place in found or place.split(".")[-1] in found or "taskOutputArtifact" in found


def test_parameters_come_from_constants_runtime_parameters_and_tasks(tmp_path: Path) -> None:
    job = HandmadeJob(tmp_path).with_parameters(data_uri="/data").script("one")
    job.script(
        "two",
        parameters={
            "number": {"runtimeValue": {"constantValue": {"intValue": "6"}}},
            "uri": {"componentInputParameter": "data_uri"},
            # TFX 1.14 adds _task to the producer's name.
            "value": {"taskOutputParameter": {"producerTask": "one_task", "outputParameterKey": "n"}},
        },
    )
    read = read_job(job.document)
    assert read.tasks["two"].parameters == {
        "number": Constant(6),
        "uri": RuntimeParameter("data_uri"),
        "value": TaskOutput("one", "n"),
    }
    assert read.parameters == {"data_uri": "/data"}


def test_command_and_arguments_are_one_command(tmp_path: Path) -> None:
    executor = read_job(HandmadeJob(tmp_path).script("one").document).tasks["one"].executor
    assert isinstance(executor, Container)
    assert executor.command[:2] == ("python", "-c")
    assert executor.command[-1] == "{{$}}"


def test_two_images_in_one_job_are_an_error(tmp_path: Path) -> None:
    job = HandmadeJob(tmp_path).script("one").script("two")
    job.executors["two_executor"]["container"]["image"] = "elsewhere/tool"
    with pytest.raises(JobError, match=r"more than one image.*\n.*one: local@sha256.*\n.*two: elsewhere/tool"):
        read_job(job.document)


def test_a_job_without_pipeline_root_is_an_error(tmp_path: Path) -> None:
    job = HandmadeJob(tmp_path)
    job.document["runtimeConfig"] = {}
    with pytest.raises(JobError, match="gcsOutputDirectory: is not set"):
        read_job(job.document)
