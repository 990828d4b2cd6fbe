"""Releases as versions of one model."""

from pathlib import Path
from typing import Any, Iterator

import pytest

from esteira.errors import ServingError, SettingsError, StateError
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.server import served
from esteira.settings import Settings
from esteira.vertex.model import make_default, uploaded_model
from tests.vertex.endpoint_project import IMAGE, LOCATION, Project

pytestmark = pytest.mark.loopback

UPLOAD = "aiplatform.projects.locations.models.upload"
LABELS = {"managed-by": "esteira", "pipeline": "sentiment", "environment": "dev"}
MODEL = f"{LOCATION}/models/sentiment-dev"


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Iterator[Project]:
    project = Project(settings, tmp_path / "bucket")
    with served(project.stand_in):
        yield project


def upload(project: Project, number: int) -> str:
    return uploaded_model(project.settings, project.api, project.store, project.release(number))


def test_the_first_release_makes_the_model_and_further_ones_versions_of_it(project: Project) -> None:
    assert [upload(project, 1), upload(project, 2)] == [f"{MODEL}@1", f"{MODEL}@2"]
    first, second = (call.body for call in project.stand_in.called(UPLOAD))
    route = "/v1/models/sentiment"
    assert first == {
        "modelId": "sentiment-dev",
        "model": {
            "displayName": "sentiment-dev",
            "versionDescription": "release 000000000001",
            "versionAliases": ["release-000000000001"],
            "labels": {**LABELS, "release": "000000000001"},
            "artifactUri": "gs://demo-bucket/sentiment/serving/1732300001",
            "containerSpec": {
                "imageUri": IMAGE,
                "command": ["python", "-m", "esteira.serving.container"],
                "args": [
                    *("--version", "1732300001", "--max-batch", "64", "--project", "demo-project"),
                    *("--region", "europe-west1", "--release", "000000000001"),
                    *("--max-body-mb", "8", "--max-rows", "8192", "--max-waiting", "1024", "--timeout-s", "30.0"),
                ],
                "ports": [{"containerPort": 8080}],
                "predictRoute": f"{route}:predict",
                "healthRoute": route,
            },
        },
    }
    assert (second["parentModel"], "modelId" in second) == (MODEL, False)


def test_an_image_of_the_settings_is_taken_as_it_is(project: Project) -> None:
    image = f"europe-docker.pkg.dev/vertex-ai/prediction/tf2-cpu@sha256:{'b' * 64}"
    project.set("endpoint", image=image)
    upload(project, 1)
    (call,) = project.stand_in.called(UPLOAD)
    assert call.body["model"]["containerSpec"] == {"imageUri": image}


def test_texts_that_may_not_be_kept_are_logged_by_the_container(project: Project) -> None:
    project.set("log", text="hash", percent=50)
    upload(project, 1)
    (call,) = project.stand_in.called(UPLOAD)
    table = "demo-project.esteira.request_log"
    expected = ["--log-table", table, "--log-percent", "50", "--log-text", "hash"]
    assert [word for word in call.body["model"]["containerSpec"]["args"] if word in expected] == expected
    project.set("endpoint", image=f"europe-docker.pkg.dev/vertex-ai/prediction/tf2-cpu@sha256:{'b' * 64}")
    with pytest.raises(SettingsError) as told:
        upload(project, 2)
    assert str(told.value) == (
        'log.text = "hash": needs this repository\'s own server, which replaces texts before they are logged.\n'
        'Expected endpoint.by = "release" and no endpoint.image; or set log.percent = 0, or log.text = "keep"'
    )


def test_a_key_encrypts_the_model(project: Project) -> None:
    key = "projects/demo-project/locations/europe-west1/keyRings/ring/cryptoKeys/key"
    place = project.settings.environment.copy(update={"kms_key": key})
    project.settings = project.settings.copy(update={"environments": {"dev": place}})
    upload(project, 1)
    (call,) = project.stand_in.called(UPLOAD)
    assert call.body["model"]["encryptionSpec"] == {"kmsKeyName": key}


@pytest.mark.parametrize("kind", ["lost", "reset", "unavailable"])
@pytest.mark.parametrize("number", [1, 2])
def test_an_upload_whose_answer_is_lost_is_made_once(project: Project, kind: Any, number: int) -> None:
    if number == 2:
        upload(project, 1)
    project.stand_in.faults.add(Fault(UPLOAD, kind))
    assert upload(project, number) == f"{MODEL}@{number}"
    assert len(next(iter(project.endpoints.models.known.values()))) == number


def test_an_image_that_was_not_pushed_and_a_model_that_was_not_are_told(project: Project) -> None:
    release = project.release(1)
    image = release.parts["image"].copy(update={"uri": ""})
    unpushed = release.copy(update={"parts": {"image": image}})
    with pytest.raises(StateError, match="release 000000000001: its image was not pushed"):
        uploaded_model(project.settings, project.api, project.store, unpushed)
    with pytest.raises(ServingError) as told:
        uploaded_model(project.settings, project.api, project.store, release.copy(update={"outcome": None}))
    assert str(told.value) == "release 000000000001: no model was pushed. Run: make deploy FORCE=1 ENV=dev"


def test_a_model_of_somebody_else_is_left_alone(project: Project) -> None:
    body = {"modelId": "sentiment-dev", "model": {"displayName": "theirs", "containerSpec": {"imageUri": "image"}}}
    project.api.call("upload", "aiplatform", "POST", f"v1/{LOCATION}/models:upload", body=body)
    with pytest.raises(ServingError) as told:
        upload(project, 1)
    assert str(told.value) == (
        f"{MODEL}: is not the model of sentiment in dev: its labels are managed-by=, pipeline=, environment=.\n"
        "Expected managed-by=esteira, pipeline=sentiment, environment=dev. Remove that model, set another "
        "pipeline.name, or rename the environment"
    )


def test_a_release_that_was_run_again_is_uploaded_again_and_gets_the_alias(project: Project) -> None:
    assert upload(project, 1) == f"{MODEL}@1"
    release = project.release(1)
    assert release.outcome
    again = release.outcome.copy(update={"model": f"{project.store.uri}/serving/1732309999"})
    rerun = release.copy(update={"outcome": again})
    for _ in range(2):
        assert uploaded_model(project.settings, project.api, project.store, rerun) == f"{MODEL}@2"
    (versions,) = project.endpoints.models.known.values()
    assert [(version["artifactUri"][-10:], version["versionAliases"]) for version in versions] == [
        ("1732300001", ["default"]),
        ("1732309999", ["release-000000000001"]),
    ]


def test_the_default_version_moves(project: Project) -> None:
    upload(project, 1)
    upload(project, 2)
    make_default(project.settings, project.api, "2")
    (versions,) = project.endpoints.models.known.values()
    assert [version["versionAliases"] for version in versions] == [
        ["release-000000000001"],
        ["release-000000000002", "default"],
    ]
