import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esteira.errors import JobError
from esteira.local.jobs.invocation import Invocation
from esteira.local.jobs.placeholders import AbsentInputError, check_placeholders, resolve_text
from esteira.local.jobs.reader import read_job
from esteira.local.jobs.result import Artifact
from tests.local.jobs.handmade import HandmadeJob

MODEL = Artifact("stores/artifacts/1", "tfx.Model", "/root/model", {"steps": 3.0, "kind": "wide"}, {"schemaTitle": "x"})
BLESSING = Artifact("stores/artifacts/2", "tfx.ModelBlessing", "/root/blessing", {})


def invocation() -> Invocation:
    return Invocation(
        task="Trainer",
        pipeline="sentiment",
        root="/root",
        run_id="r1",
        folder=Path("/root/r1/Trainer_7"),
        parameters={"epochs": 2, "name": "é\"'"},
        artifacts={"model": [MODEL]},
        outputs={"blessing": BLESSING},
        output_parameters=("size",),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--n={{$.inputs.parameters['epochs']}}!", "--n=2!"),
        ("{{$.inputs.parameters['name']}}", "é\"'"),
        ("{{$.inputs.artifacts['model'].uri}}/x", "/root/model/x"),
        ("{{$.inputs.artifacts['model'].metadata['kind']}}", "wide"),
        ("{{$.inputs.artifacts['model'].name}}", "stores/artifacts/1"),
        ("{{$.outputs.artifacts['blessing'].uri}}", "/root/blessing"),
        ("{{$.outputs.parameters['size'].output_file}}", "/root/r1/Trainer_7/parameters/size"),
        ("{{$.outputs.output_file}}", "/root/r1/Trainer_7/executor_output.json"),
        ("{{$.pipeline_task_name}} {{$.pipeline_root}}", "Trainer /root"),
    ],
)
def test_placeholders_are_replaced(text: str, expected: str) -> None:
    assert resolve_text(text, invocation()) == expected


def test_the_whole_executor_input_is_json_as_tfx_reads_it() -> None:
    found = json.loads(resolve_text("{{$}}", invocation()))
    assert found["inputs"]["parameters"] == {"epochs": {"intValue": "2"}, "name": {"stringValue": "é\"'"}}
    assert found["inputs"]["artifacts"]["model"]["artifacts"] == [
        {
            "name": "stores/artifacts/1",
            "type": {"schemaTitle": "x"},
            "uri": "/root/model",
            "metadata": {"steps": 3.0, "kind": "wide"},
        }
    ]
    assert found["outputs"]["outputFile"] == "/root/r1/Trainer_7/executor_output.json"


@given(st.text().filter(lambda text: "{{$" not in text))
def test_text_without_placeholders_stays_as_it_is(text: str) -> None:
    assert resolve_text(text, invocation()) == text


def test_values_are_not_read_for_placeholders_again() -> None:
    given_values = invocation()
    given_values.parameters["name"] = "{{$.pipeline_root}}"
    assert resolve_text("{{$.inputs.parameters['name']}}", given_values) == "{{$.pipeline_root}}"


def test_an_input_that_was_left_out_is_told_apart() -> None:
    absent = invocation()
    absent.artifacts.clear()
    with pytest.raises(AbsentInputError):
        resolve_text("{{$.inputs.artifacts['model'].uri}}", absent)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{$.inputs.parameters['ghost']}}", "names ghost, which the task does not have; it has: none"),
        ("{{$.inputs.artifact['a'].uri}}", "is not known to this runner"),
        ("{{$.json_escape[1]}}", "is not known to this runner"),
    ],
)
def test_a_placeholder_that_cannot_be_resolved_is_an_error_before_anything_runs(
    text: str, message: str, tmp_path: Path
) -> None:
    job = HandmadeJob(tmp_path).script("one")
    job.executors["one_executor"]["container"]["args"] = [text]
    with pytest.raises(JobError, match=message):
        check_placeholders(read_job(job.document).tasks["one"])
