"""The endpoint, made once, and how it is told from others."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

from esteira.errors import ServingError, SettingsError
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.server import served
from esteira.settings import Settings
from esteira.vertex.endpoint import check_id, deployed_id, made_endpoint, serving_id
from esteira.vertex.predict import ask_endpoint
from esteira.vertex.smoke import smoke_release
from tests.conftest import REPOSITORY
from tests.vertex.endpoint_project import LOCATION, SERVING, Project, prediction

pytestmark = pytest.mark.loopback

CREATE = "aiplatform.projects.locations.endpoints.create"
LABELS = {"managed-by": "esteira", "pipeline": "sentiment", "environment": "dev"}
LOG = {
    "enabled": True,
    "samplingRate": 1.0,
    "bigqueryDestination": {"outputUri": "bq://demo-project.esteira.request_log"},
}


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Iterator[Project]:
    project = Project(settings, tmp_path / "bucket")
    with served(project.stand_in):
        yield project


def made(project: Project, identity: str = "sentiment") -> Any:
    return made_endpoint(project.settings, project.api, identity)


def test_an_endpoint_is_made_once_with_its_labels_and_its_request_log(project: Project) -> None:
    assert made(project)["name"] == made(project)["name"] == SERVING
    (call,) = project.stand_in.called(CREATE)
    assert call.parameters["endpointId"] == "sentiment"
    assert call.body == {
        "displayName": "sentiment",
        "labels": LABELS,
        "predictRequestResponseLoggingConfig": LOG,
    }


def test_questions_of_smoke_tests_are_not_logged(project: Project) -> None:
    made(project, "sentiment-check")
    (call,) = project.stand_in.called(CREATE)
    assert call.body["predictRequestResponseLoggingConfig"] == {"enabled": False}


def test_the_request_log_follows_the_settings(project: Project) -> None:
    made(project)
    for percent, log in ((25, {**LOG, "samplingRate": 0.25}), (0, {"enabled": False}), (100, LOG)):
        project.set("endpoint", log_percent=percent)
        made(project)
        assert project.endpoints.known[SERVING]["predictRequestResponseLoggingConfig"] == log


def test_a_key_encrypts_the_endpoint_and_a_network_does_not_make_it_private(project: Project) -> None:
    key = "projects/demo-project/locations/europe-west1/keyRings/ring/cryptoKeys/key"
    network = "projects/123456789012/global/networks/default"
    place = project.settings.environment.copy(update={"kms_key": key, "network": network})
    project.settings = project.settings.copy(update={"environments": {"dev": place}})
    made(project)
    (call,) = project.stand_in.called(CREATE)
    assert (call.body["encryptionSpec"], "network" in call.body) == ({"kmsKeyName": key}, False)


@pytest.mark.parametrize("kind", ["lost", "reset", "unavailable"])
def test_an_endpoint_whose_answer_is_lost_is_made_once(project: Project, kind: Any) -> None:
    project.stand_in.faults.add(Fault(CREATE, kind))
    assert made(project)["name"] == SERVING
    assert list(project.endpoints.known) == [SERVING]


def test_the_endpoint_of_another_environment_is_left_alone(project: Project) -> None:
    made(project)
    environments = {"prod": project.settings.environment}
    project.settings = project.settings.copy(update={"selected": "prod", "environments": environments})
    with pytest.raises(ServingError) as told:
        made(project)
    assert str(told.value) == (
        f"{LOCATION}/endpoints/sentiment: is not the endpoint of sentiment in prod: its labels are "
        "managed-by=esteira, pipeline=sentiment, environment=dev.\n"
        "Expected managed-by=esteira, pipeline=sentiment, environment=prod. Set another pipeline.name or project; "
        "or if it is this one's after all: gcloud ai endpoints update sentiment --project=demo-project "
        "--region=europe-west1 --update-labels=managed-by=esteira,pipeline=sentiment,environment=prod"
    )


@pytest.mark.parametrize("name", ["a" * 58, "sentiment-"])
def test_a_name_that_no_endpoint_may_have_is_told(project: Project, name: str) -> None:
    project.set("pipeline", name=name)
    with pytest.raises(SettingsError) as told:
        serving_id(project.settings)
    assert str(told.value) == (
        f"pipeline.name: {name} is no name for a Vertex AI endpoint, which may have 57 characters and ends in a "
        "letter or digit. Set another pipeline.name"
    )


def test_a_release_is_deployed_under_one_id_an_endpoint(project: Project) -> None:
    release, serving, check = project.release(1), serving_id(project.settings), check_id(project.settings)
    rollback = release.copy(update={"id": "x", "restores": release.id})
    assert deployed_id(serving, release) == deployed_id(serving, rollback)
    pairs = [(serving, release), (check, release), (serving, project.release(2))]
    assert len({deployed_id(*pair) for pair in pairs}) == 3
    assert len(deployed_id(serving, release)) == 10


def test_the_endpoint_answers_with_the_model_that_serves(project: Project) -> None:
    smoke_release(project.settings, project.api, project.store, project.release(1))
    answered = ask_endpoint(project.settings, project.api, [{"text": "good"}, {"text": "bad"}])
    assert answered == [prediction("good"), prediction("bad")]


CLIENT = """
import sys
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
aiplatform.init(project="demo-project", location="europe-west1", api_endpoint=sys.argv[1] + "aiplatform",
                api_transport="rest", credentials=AnonymousCredentials())
(endpoint,) = aiplatform.Endpoint.list(filter='display_name="sentiment"')
answer = endpoint.predict([{"text": "good"}])
(deployed,) = endpoint.list_models()
assert deployed.id == answer.deployed_model_id and endpoint.traffic_split == {deployed.id: 100}
versions = aiplatform.Model("sentiment").versioning_registry.list_versions()
print(answer.predictions[0]["label"], answer.model_version_id, [version.version_aliases for version in versions])
"""


@pytest.mark.programs
@pytest.mark.slow
def test_googles_own_client_finds_and_asks_the_endpoint(project: Project) -> None:
    smoke_release(project.settings, project.api, project.store, project.release(1))
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CLIENT, project.stand_in.url],
        cwd=REPOSITORY,
        env={**os.environ, "NO_GCE_CHECK": "true"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "positive 1 [['release-000000000001', 'default']]"
