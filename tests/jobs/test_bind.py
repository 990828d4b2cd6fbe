import copy
from pathlib import Path
from typing import Any, Dict

import pytest

from esteira.errors import CompileError, StateError
from esteira.jobs.bind import bind_job, bind_release, image_name
from esteira.release.manifest import Part
from tests.jobs.targets.fixed import IMAGE, release_of, settings_of, small_job

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


def test_a_release_is_bound_to_the_places_of_its_environment(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, {})
    made = bind_release(settings, release_of(settings), small_job(), "123456789012")
    assert made["labels"] == {"release": "0123456789ab"}
    assert made["runtimeConfig"]["gcsOutputDirectory"] == "gs://demo-bucket/sentiment/root"
    executors = made["pipelineSpec"]["deploymentSpec"]["executors"]
    assert executors["Trainer_executor"]["container"]["image"] == IMAGE
    (query,) = executors["resolver_executor"]["resolver"]["outputArtifactQueries"].values()
    # Vertex AI names by the project's number what is in its metadata store.
    context = "projects/123456789012/locations/europe-west1/metadataStores/default/contexts/sentiment"
    assert query["filter"] == f'state=LIVE AND in_context("{context}")'


def test_on_local_nothing_of_a_target_is_in_the_job(tmp_path: Path) -> None:
    plain = settings_of(tmp_path / "a", {}, env="local")
    asked = settings_of(tmp_path / "a", {"trainer.place": "custom_job", "cloud.cache": "false"}, env="local")
    made = bind_release(asked, release_of(plain), small_job())
    assert made == bind_release(plain, release_of(plain), small_job())
    executors = made["pipelineSpec"]["deploymentSpec"]["executors"]
    assert "metadataStores" in executors["resolver_executor"]["resolver"]["outputArtifactQueries"]["model"]["filter"]
    assert "projects/local/" in executors["resolver_executor"]["resolver"]["outputArtifactQueries"]["model"]["filter"]


@pytest.mark.parametrize(("content", "said"), [("", "was not made"), (f"sha256:{'1' * 64}", "was not pushed")])
def test_an_image_that_the_cloud_cannot_pull_is_told(tmp_path: Path, content: str, said: str) -> None:
    settings = settings_of(tmp_path, {})
    release = release_of(settings)
    image = Part(digest=f"sha256:{'2' * 64}", content=content, uri="/state/images/blobs/sha256/1" if content else "")
    parts = {**release.parts, "image": image}
    with pytest.raises(StateError) as caught:
        bind_release(settings, release.copy(update={"parts": parts}), small_job())
    assert str(caught.value) == (
        f"release 0123456789ab: its image {said}, so that no task can run in it in Google Cloud.\n"
        "Expected it at europe-west1-docker.pkg.dev/demo-project/images/runtime@sha256:<64 hex>. "
        "Run: make deploy-full ENV=dev"
    )
