"""The stand-in's endpoints: the rules of their traffic, and a real server behind one."""

import os
from pathlib import Path
from typing import Any, Iterator, List

import pytest
import requests

from esteira.errors import GoogleError
from esteira.google.api import Api
from esteira.local.cloud.endpoints import Endpoints
from esteira.local.cloud.operations import Failed
from esteira.local.cloud.served_models import served_models, starting
from esteira.local.cloud.server import StandIn, served
from esteira.settings import Environment, Settings
from esteira.vertex.smoke import smoke_release
from tests.bucket_server import bucket_server, environment
from tests.serving.toy_folder import save_toy_model
from tests.serving.toy_model import LABELS
from tests.vertex.endpoint_project import LOCATION, Bucket, Project

__all__ = ["bucket_server", "environment"]

pytestmark = pytest.mark.loopback

ENDPOINT = f"v1/{LOCATION}/endpoints/one"
MODEL = {"displayName": "m", "containerSpec": {"imageUri": "image", "predictRoute": "/v1/models/m:predict"}}


@pytest.fixture
def api() -> Iterator[Api]:
    """The stand-in with an endpoint to which a model is deployed twice: as 1 with all traffic, and as 2."""
    endpoints = Endpoints(lambda model: lambda body: (200, b'{"predictions": ["yes"]}'))
    stand_in = StandIn()
    stand_in.add(endpoints.handlers())
    with served(stand_in):
        api = Api("demo-project", "europe-west1", stand_in.variables())
        post(api, f"v1/{LOCATION}/models:upload", modelId="m", model=MODEL)
        query = {"endpointId": "one"}
        api.call("create", "aiplatform", "POST", f"v1/{LOCATION}/endpoints", body={"displayName": "one"}, query=query)
        deploy(api, "1", trafficSplit={"0": 100})
        deploy(api, "2")
        yield api


def post(api: Api, path: str, **body: Any) -> Any:
    return api.call("post", "aiplatform", "POST", path, body=body)


def deploy(api: Api, identity: str, **more: Any) -> Any:
    resources = {"machineSpec": {"machineType": "n1-standard-2"}, "minReplicaCount": 1}
    deployed = {"id": identity, "model": f"{LOCATION}/models/m", "dedicatedResources": resources}
    return post(api, f"{ENDPOINT}:deployModel", deployedModel=deployed, **more)


def traffic(api: Api, split: Any) -> Any:
    query = {"updateMask": "traffic_split"}
    return api.call("patch", "aiplatform", "PATCH", ENDPOINT, body={"trafficSplit": split}, query=query)


def deployed(api: Api) -> List[str]:
    endpoint = api.call("get", "aiplatform", "GET", ENDPOINT)
    return [f"{one['id']} {endpoint['trafficSplit'].get(one['id'], 0)}" for one in endpoint["deployedModels"]]


def refused(act: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(GoogleError) as told:
        act(*arguments, **more)
    return str(told.value).splitlines()[0].partition("cannot ")[2].partition(": ")[2]


def test_traffic_adds_up_and_goes_to_what_is_deployed(api: Api) -> None:
    assert refused(traffic, api, {"1": 60}) == "The traffic percentage values must add up to 100, got 60."
    assert refused(traffic, api, {"1": 50, "3": 50}) == "trafficSplit names 3, which is not deployed."
    traffic(api, {"1": 25, "2": 75})
    assert deployed(api) == ["1 25", "2 75"]
    answers = [post(api, f"{ENDPOINT}:predict", instances=[1])["deployedModelId"] for _ in range(100)]
    assert (answers.count("1"), answers.count("2")) == (25, 75)
    traffic(api, {})
    assert refused(post, api, f"{ENDPOINT}:predict", instances=[1]).endswith("doesn't have traffic_split.")


def test_a_model_with_traffic_is_not_undeployed_unless_it_is_the_last(api: Api) -> None:
    undeploy = f"{ENDPOINT}:undeployModel"
    message = refused(post, api, undeploy, deployedModelId="1")
    assert message == "DeployedModel 1 has traffic assigned and cannot be undeployed."
    post(api, undeploy, deployedModelId="1", trafficSplit={"2": 100})
    assert deployed(api) == ["2 100"]
    post(api, undeploy, deployedModelId="2")
    assert deployed(api) == []
    assert refused(post, api, undeploy, deployedModelId="2") == "DeployedModel 2 not found."


def test_an_id_is_deployed_once(api: Api) -> None:
    assert refused(deploy, api, "1") == "Requested entity already exists: DeployedModel 1"


def test_a_container_that_does_not_start_fails_the_operation() -> None:
    def serve(uri: str, name: str) -> str:
        raise GoogleError(f"{uri} of {name} is lost")

    model = {**MODEL, "artifactUri": "gs://bucket/model"}
    with pytest.raises(Failed, match=r"Model server never became ready\. gs://bucket/model of m is lost") as told:
        starting(serve)(model)
    assert told.value.code == 9


@pytest.mark.programs
@pytest.mark.slow
def test_a_release_is_smoke_tested_against_the_real_server_on_the_model_in_the_bucket(
    settings: Settings, environment: Environment, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    save_toy_model(model)
    project = Project(settings, tmp_path / "store")
    release = project.release(1)
    lay_down(environment, project.store, model)
    uri = f"gs://{environment.bucket}/sentiment/serving/1732300001"
    with served_models(Api("demo-project", "europe-west1", os.environ)) as start, served(project.stand_in):
        project.endpoints.start = lambda version: start({**version, "artifactUri": uri})
        result = smoke_release(project.settings, project.api, project.store, release)
        assert not result.failed
        body = {"instances": [{"text": "good"}, {"text": "bad"}]}
        answer = post(project.api, f"v1/{LOCATION}/endpoints/sentiment-dev:predict", **body)
    assert [row["label"] for row in answer["predictions"]] == [LABELS[2], LABELS[0]]


def lay_down(environment: Environment, store: Bucket, model: Path) -> None:
    """Put the model into the bucket, and what is read of it without TensorFlow into the store."""
    for path in (path for path in model.rglob("*") if path.is_file()):
        name = f"serving/1732300001/{path.relative_to(model).as_posix()}"
        url = f"{os.environ['STORAGE_EMULATOR_HOST']}/upload/storage/v1/b/{environment.bucket}/o"
        query = {"uploadType": "media", "name": f"sentiment/{name}"}
        requests.post(url, params=query, data=path.read_bytes(), timeout=60).raise_for_status()
        if "assets.extra" in path.parts or path.name == "saved_model.pb":
            store.write(name, path.read_bytes())
