"""The endpoint, made once, and how it is told from others."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

from esteira.errors import ServingError
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.server import served
from esteira.settings import Settings
from esteira.vertex.endpoint import made_endpoint
from esteira.vertex.predict import ask_endpoint
from esteira.vertex.smoke import smoke_release
from esteira.vertex.traffic import promote_release
from tests.conftest import REPOSITORY
from tests.serving.small_model import prediction
from tests.vertex.endpoint_project import LOCATION, SERVING, Project

pytestmark = pytest.mark.loopback

CREATE = "aiplatform.projects.locations.endpoints.create"
LABELS = {"managed-by": "esteira", "pipeline": "sentiment", "environment": "dev"}


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Iterator[Project]:
    project = Project(settings, tmp_path / "bucket")
    with served(project.stand_in):
        yield project


def made(project: Project, identity: str = "sentiment-dev") -> Any:
    return made_endpoint(project.settings, project.api, identity)


def test_an_endpoint_is_made_once_with_its_labels_and_logs_nothing_yet(project: Project) -> None:
    assert made(project)["name"] == made(project)["name"] == SERVING
    (call,) = project.stand_in.called(CREATE)
    assert call.parameters["endpointId"] == "sentiment-dev"
    assert call.body == {
        "displayName": "sentiment-dev",
        "labels": LABELS,
        "predictRequestResponseLoggingConfig": {"enabled": False},
    }


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


def test_the_endpoint_of_somebody_else_is_left_alone(project: Project) -> None:
    made(project)
    project.endpoints.known[SERVING]["labels"] = {**LABELS, "environment": "prod"}
    with pytest.raises(ServingError) as told:
        made(project)
    assert str(told.value) == (
        f"{LOCATION}/endpoints/sentiment-dev: is not the endpoint of sentiment in dev: its labels are "
        "managed-by=esteira, pipeline=sentiment, environment=prod.\n"
        "Expected managed-by=esteira, pipeline=sentiment, environment=dev. Set another pipeline.name, or rename the "
        "environment; or if it is this one's after all: gcloud ai endpoints update sentiment-dev "
        "--project=demo-project --region=europe-west1 "
        "--update-labels=managed-by=esteira,pipeline=sentiment,environment=dev"
    )


def test_two_environments_in_one_project_and_region_serve_side_by_side(project: Project) -> None:
    dev, release = project.settings, project.release(1)
    prod = dev.copy(update={"selected": "prod", "environments": {"dev": dev.environment, "prod": dev.environment}})
    for settings in (dev, prod):
        smoke_release(settings, project.api, project.store, release)
        promote_release(settings, project.api, release, settle_s=0)
        assert ask_endpoint(settings, project.api, [{"text": "good"}]) == [prediction("good")]
    assert [name.rpartition("/")[2] for name in project.endpoints.known] == ["sentiment-dev", "sentiment-prod"]
    assert [name.rpartition("/")[2] for name in project.endpoints.models.known] == ["sentiment-dev", "sentiment-prod"]
    bodies = [call.body["model"] for call in project.stand_in.called("aiplatform.projects.locations.models.upload")]
    assert {body["containerSpec"]["predictRoute"] for body in bodies} == {"/v1/models/sentiment:predict"}


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
(endpoint,) = aiplatform.Endpoint.list(filter='display_name="sentiment-dev"')
answer = endpoint.predict([{"text": "good"}])
(deployed,) = endpoint.list_models()
assert deployed.id == answer.deployed_model_id and endpoint.traffic_split == {deployed.id: 100}
versions = aiplatform.Model("sentiment-dev").versioning_registry.list_versions()
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
