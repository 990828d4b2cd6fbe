import copy
from typing import Any, Dict

import pytest

from esteira.errors import CompileError
from esteira.jobs.bind import bind_job, image_name
from esteira.release.manifest import Part

STORE = "projects/p/locations/l/metadataStores/default"


@pytest.fixture
def job() -> Dict[str, Any]:
    return {
        "pipelineSpec": {
            "pipelineInfo": {"name": "sentiment"},
            "root": {"inputDefinitions": {"parameters": {"data_uri": {"type": "STRING"}}}},
            "deploymentSpec": {
                "executors": {
                    "Trainer_executor": {"container": {"image": "ESTEIRA_IMAGE", "args": ["ESTEIRA_IMAGE"]}},
                    "other_executor": {"container": {"image": "busybox@sha256:1"}},
                    "resolver": {"resolver": {"outputArtifactQueries": {"model": {"filter": "state=LIVE"}}}},
                }
            },
        }
    }


def bound(job: Dict[str, Any], **parameters: str) -> Dict[str, Any]:
    return bind_job(
        job,
        image="r/runtime@sha256:2",
        pipeline_root="gs://b/root",
        parameters=parameters,
        labels={"release": "abc"},
        metadata_store=STORE,
    )


def test_every_open_image_becomes_the_one_digest_and_nothing_else_does(job: Dict[str, Any]) -> None:
    executors = bound(job, data_uri="gs://b/data")["pipelineSpec"]["deploymentSpec"]["executors"]
    assert executors["Trainer_executor"]["container"] == {"image": "r/runtime@sha256:2", "args": ["ESTEIRA_IMAGE"]}
    assert executors["other_executor"]["container"] == {"image": "busybox@sha256:1"}


def test_a_resolver_sees_this_pipelines_artifacts_alone(job: Dict[str, Any]) -> None:
    executors = bound(job)["pipelineSpec"]["deploymentSpec"]["executors"]
    (query,) = executors["resolver"]["resolver"]["outputArtifactQueries"].values()
    assert query["filter"] == f'state=LIVE AND in_context("{STORE}/contexts/sentiment")'


def test_root_parameters_and_labels_are_set(job: Dict[str, Any]) -> None:
    made = bound(job, data_uri="gs://b/data")
    assert made["labels"] == {"release": "abc"}
    assert made["runtimeConfig"] == {
        "gcsOutputDirectory": "gs://b/root",
        "parameters": {"data_uri": {"stringValue": "gs://b/data"}},
    }


def test_the_compiled_job_stays_as_it_is(job: Dict[str, Any]) -> None:
    before = copy.deepcopy(job)
    bound(job, data_uri="gs://b/data")
    assert job == before


def test_a_parameter_that_the_job_lacks_is_named(job: Dict[str, Any]) -> None:
    with pytest.raises(CompileError) as caught:
        bound(job, modules_uri="gs://b/m")
    assert "pipeline/pipeline.py: the job has no runtime parameter modules_uri." in str(caught.value)
    assert "It has: data_uri." in str(caught.value)


def test_an_image_is_named_by_where_it_was_pushed_and_one_that_was_not_made_by_what_it_would_be_made_of() -> None:
    digest, made_of = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
    pushed = Part(digest=made_of, content=digest, uri=f"r:5000/team/runtime@{digest}")
    kept = Part(digest=made_of, content=digest, uri=f"/state/images/blobs/sha256/{'1' * 64}")
    assert image_name(pushed) == f"r:5000/team/runtime@{digest}"
    assert image_name(kept) == f"esteira/runtime@{digest}"
    assert image_name(Part(digest=made_of)) == f"local@{made_of}"
