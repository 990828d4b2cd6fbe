"""A release's smoke test on Vertex AI, and what is left of one that fails or is interrupted."""

from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml

from esteira.errors import GoogleError, ServingError
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, served
from esteira.settings import Settings
from esteira.vertex.deploy import DEPLOY_S, UNDEPLOY_S
from esteira.vertex.model import UPLOAD_S, uploaded_model
from esteira.vertex.smoke import smoke_release
from esteira.vertex.traffic import SETTLE_S, promote_release
from tests.conftest import REPOSITORY
from tests.vertex.endpoint_project import CHECK, IMAGE, LOCATION, UNHEALTHY, Project

pytestmark = pytest.mark.loopback

DEPLOY = "aiplatform.projects.locations.endpoints.deployModel"
CHECKS = [
    "deployed model and version",
    "number of predictions",
    "outputs of each prediction",
    "labels as at training",
    "probabilities as at training",
    "label, confidence and probabilities agree",
    "one by one as in a batch",
    "an empty text",
    "white space",
    "texts beyond ASCII",
    "a text of 100,000 characters",
    "answer of serving_default",
    "refuses malformed JSON",
    "refuses a number for a text",
    "refuses a row without its text",
    "refuses no rows",
    "refuses an unknown signature",
    "refuses 8,193 rows",
    "latency of one text",
]
ONE, TWO, THREE = "000000000001", "000000000002", "000000000003"


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Iterator[Project]:
    project = Project(settings, tmp_path / "bucket")
    with served(project.stand_in):
        yield project


def smoke(project: Project, number: int) -> None:
    result = smoke_release(project.settings, project.api, project.store, project.release(number))
    assert [check.name for check in result.checks] == CHECKS
    assert not result.failed


def deploy(project: Project, number: int) -> None:
    smoke(project, number)
    promote_release(project.settings, project.api, project.release(number), settle_s=0)


def test_the_first_release_is_deployed_and_asked_where_it_will_serve(project: Project) -> None:
    smoke(project, 1)
    assert project.deployments() == [f"sentiment-dev {ONE}"]
    assert (project.deployed(), project.deployed(CHECK)) == ({ONE: 100}, {})


def test_a_further_release_is_deployed_at_no_traffic_and_asked_on_an_endpoint_of_its_own(project: Project) -> None:
    deploy(project, 1)
    project.asked.clear()
    smoke(project, 2)
    assert project.deployments()[1:] == [f"sentiment-dev-check {TWO}", f"sentiment-dev {TWO}"]
    assert (project.deployed(), project.deployed(CHECK)) == ({ONE: 100, TWO: 0}, {})
    assert set(project.asked) == {TWO}
    beside = project.stand_in.called(DEPLOY)[-1].body
    assert beside == {
        "deployedModel": {
            "id": beside["deployedModel"]["id"],
            "displayName": TWO,
            "model": f"{LOCATION}/models/sentiment-dev@2",
            "dedicatedResources": {
                "machineSpec": {"machineType": "n1-standard-2"},
                "minReplicaCount": 1,
                "maxReplicaCount": 2,
                "autoscalingMetricSpecs": [
                    {"metricName": "aiplatform.googleapis.com/prediction/online/cpu/utilization", "target": 60}
                ],
            },
            "serviceAccount": "esteira-run@demo-project.iam.gserviceaccount.com",
            "enableAccessLogging": True,
        }
    }


def test_a_smoke_test_that_is_done_again_deploys_nothing_beside_again(project: Project) -> None:
    deploy(project, 1)
    smoke(project, 2)
    smoke(project, 2)
    check, beside = f"sentiment-dev-check {TWO}", f"sentiment-dev {TWO}"
    assert project.deployments()[1:] == [check, beside, check]
    assert len(project.endpoints.models.find(f"{LOCATION}/models/sentiment-dev@2")["versionAliases"]) == 1
    deploy(project, 2)
    smoke(project, 2)
    assert project.deployed() == {ONE: 0, TWO: 100}


def test_a_model_that_answers_otherwise_than_at_training_is_undeployed_everywhere(project: Project) -> None:
    deploy(project, 1)
    project.wrong.add(TWO)
    with pytest.raises(ServingError) as told:
        smoke(project, 2)
    assert str(told.value) == (
        f"release {TWO} on Vertex AI: the smoke test failed in 1 of 19 checks:\n"
        '- probabilities as at training for "good": expected [0.25000, 0.75000] within 0.0001, '
        "got [0.50000, 0.50000]\n"
        "The model answers otherwise than it should. Look at modules/, then: make deploy-full"
    )
    assert (project.deployed(), project.deployed(CHECK)) == ({ONE: 100}, {})
    project.wrong.clear()
    smoke(project, 2)


def test_a_first_model_that_fails_does_not_stay(project: Project) -> None:
    project.odd.add(ONE)
    with pytest.raises(ServingError) as told:
        smoke(project, 1)
    assert str(told.value).splitlines()[1] == (
        '- outputs of each prediction: expected confidence, label, probabilities, got {"label": "positive"}'
    )
    assert project.deployed() == {}


def test_the_model_that_serves_stays_though_its_smoke_test_fails_later(project: Project) -> None:
    deploy(project, 1)
    project.wrong.add(ONE)
    with pytest.raises(ServingError):
        smoke(project, 1)
    assert project.deployed() == {ONE: 100}


def test_an_unhealthy_container_is_told_with_its_logs(project: Project) -> None:
    deploy(project, 1)
    project.unhealthy.add(TWO)
    with pytest.raises(ServingError) as told:
        smoke(project, 2)
    assert str(told.value) == (
        f"Google Cloud: cannot deploy release {TWO} to the endpoint sentiment-dev-check: {UNHEALTHY}\n"
        "See what the container says: https://console.cloud.google.com/logs/query;query="
        "resource.type%3D%22aiplatform.googleapis.com%2FEndpoint%22%0Aresource.labels.endpoint_id%3D%22sentiment-dev-check"
        "%22?project=demo-project\n"
        "Then run the command again."
    )
    assert (project.deployed(), project.deployed(CHECK)) == ({ONE: 100}, {})
    project.unhealthy.clear()
    smoke(project, 2)
    assert project.deployed() == {ONE: 100, TWO: 0}


def test_what_an_interrupted_smoke_test_left_is_undeployed_by_the_next(project: Project) -> None:
    deploy(project, 1)
    for _ in range(2):
        project.stand_in.faults.add(Fault(r".*endpoints\.predict", "denied"))
    for number in (2, 3):
        with pytest.raises(GoogleError, match="Permission 'aiplatform.endpoints.predict' denied"):
            smoke(project, number)
    assert project.deployed(CHECK) == {THREE: 100}
    assert project.deployed() == {ONE: 100, TWO: 0, THREE: 0}
    smoke(project, 3)
    assert project.deployed(CHECK) == {}
    assert project.deployments().count(f"sentiment-dev-check {THREE}") == 1


@pytest.mark.parametrize("kind", ["lost", "reset", "busy", "unavailable"])
@pytest.mark.parametrize("looks", [0, 1])
def test_a_deployment_whose_answer_is_lost_or_late_is_made_once(project: Project, kind: str, looks: int) -> None:
    deploy(project, 1)
    project.endpoints.operations.looks = looks
    project.stand_in.faults.add(Fault(".*deployModel", kind, times=2))  # type: ignore[arg-type]
    smoke(project, 2)
    assert (project.deployed(), project.deployed(CHECK)) == ({ONE: 100, TWO: 0}, {})


def test_a_quota_that_is_used_up_is_told_and_the_next_try_goes_on(project: Project) -> None:
    deploy(project, 1)
    project.stand_in.faults.add(Fault(".*deployModel", "quota", times=100, skip=1))
    with pytest.raises(GoogleError) as told:
        smoke(project, 2)
    assert str(told.value) == (
        f"Google Cloud: cannot deploy release {TWO} to the endpoint sentiment-dev: "
        "Quota exceeded for quota metric 'aiplatform' of service 'aiplatform.googleapis.com'.\n"
        "Wait a minute and run the command again, or ask for more: "
        "https://console.cloud.google.com/iam-admin/quotas?project=demo-project"
    )
    project.stand_in.faults.waiting.clear()
    smoke(project, 2)
    assert (project.deployed(), project.deployed(CHECK)) == ({ONE: 100, TWO: 0}, {})


def test_a_release_that_was_run_again_is_deployed_and_asked_anew(project: Project) -> None:
    deploy(project, 1)
    smoke(project, 2)
    release = project.release(2)
    model = project.release(3).outcome
    rerun = release.copy(update={"outcome": model})
    for _ in range(2):
        assert not smoke_release(project.settings, project.api, project.store, rerun).failed
    assert (project.deployed(), project.deployed(CHECK)) == ({ONE: 100, TWO: 0}, {})
    (serving,) = [one for name, one in project.endpoints.known.items() if not name.endswith("-check")]
    assert [one["modelVersionId"] for one in serving["deployedModels"]] == ["1", "3"]


def test_what_is_served_of_a_release_stays_while_its_next_model_is_deployed_beside(project: Project) -> None:
    smoke(project, 1)
    rerun = project.release(1).copy(update={"outcome": project.release(2).outcome})
    assert not smoke_release(project.settings, project.api, project.store, rerun).failed
    (serving,) = [one for name, one in project.endpoints.known.items() if not name.endswith("-check")]
    first, second = serving["deployedModels"]
    assert (first["modelVersionId"], second["modelVersionId"]) == ("1", "2")
    assert serving["trafficSplit"] == {first["id"]: 100}
    promote_release(project.settings, project.api, rerun, settle_s=0)
    assert serving["trafficSplit"] == {first["id"]: 0, second["id"]: 100}


@pytest.mark.parametrize("method", ["deployModel", "undeployModel"])
def test_another_operation_on_the_endpoint_is_waited_for(project: Project, method: str) -> None:
    deploy(project, 1)
    id = f"aiplatform.projects.locations.endpoints.{method}"
    handler, busy = project.stand_in.handlers[id], [True] * 12

    def held_up(call: Call) -> Any:
        if busy:
            busy.pop()
            raise Refused(409, "There are other operations running on the resource.", word="ABORTED")
        return handler(call)

    project.stand_in.handlers[id] = held_up
    smoke(project, 2)
    assert (project.deployed(), project.deployed(CHECK)) == ({ONE: 100, TWO: 0}, {})


def test_what_is_waited_for_ends_before_its_step_does() -> None:
    steps = yaml.safe_load((REPOSITORY / "cloudbuild" / "full.yaml").read_text())["steps"]
    allowed_s = {step["id"]: float(step["timeout"].rstrip("s")) for step in steps}
    assert allowed_s["smoke"] > UPLOAD_S + DEPLOY_S + UNDEPLOY_S
    assert allowed_s["promote"] > SETTLE_S + UNDEPLOY_S


def test_what_the_pusher_of_tfx_deployed_is_asked_with_its_traffic(project: Project) -> None:
    release, vertex = project.release(1), "v1/" + LOCATION
    model = {
        "displayName": "v1",
        "artifactUri": release.outcome.model if release.outcome else "",
        "containerSpec": {"imageUri": IMAGE},
    }
    api = project.api
    api.call("upload", "aiplatform", "POST", f"{vertex}/models:upload", body={"model": model, "modelId": "v1"})
    api.call("create", "aiplatform", "POST", f"{vertex}/endpoints", body={"displayName": "sentiment-dev"})
    resources = {"machineSpec": {"machineType": "n1-standard-2"}, "minReplicaCount": 1}
    body = {"model": f"{LOCATION}/models/v1", "displayName": "v1_endpoint", "dedicatedResources": resources}
    project.start = lambda model: lambda body: project.answer(ONE, body)  # type: ignore[method-assign]
    project.endpoints.start = project.start
    body = {"deployedModel": body, "trafficSplit": {"0": 100}}
    api.call("deploy", "aiplatform", "POST", f"{vertex}/endpoints/1:deployModel", body=body)
    project.set("endpoint", by="pusher")
    smoke(project, 1)
    assert len(project.deployments()) == 1


def test_an_endpoint_that_no_pusher_made_is_told(project: Project) -> None:
    project.set("endpoint", by="pusher")
    with pytest.raises(ServingError) as told:
        smoke(project, 1)
    assert str(told.value) == (
        f'there is no endpoint sentiment-dev in {LOCATION}, which endpoint.by = "pusher" has the run make. '
        "See what its Pusher says: make logs ENV=dev"
    )


def test_a_model_that_lies_elsewhere_is_told(project: Project) -> None:
    release = project.release(1)
    outcome = release.outcome.copy(update={"model": "gs://another/model"}) if release.outcome else None
    with pytest.raises(ServingError) as told:
        smoke_release(project.settings, project.api, project.store, release.copy(update={"outcome": outcome}))
    assert str(told.value) == (
        f"release {ONE}: its model gs://another/model does not lie below gs://demo-bucket/sentiment.\n"
        "Expected a blessed model that its run pushed there. Run: make deploy FORCE=1 ENV=dev"
    )


def test_an_upload_is_found_again_by_its_alias(project: Project) -> None:
    release = project.release(1)
    first = uploaded_model(project.settings, project.api, project.store, release)
    assert uploaded_model(project.settings, project.api, project.store, release) == first
    assert len(project.stand_in.called("aiplatform.projects.locations.models.upload")) == 1
