"""The stand-in of Google's APIs: it answers no request that Google would refuse, nor what Google would not."""

from typing import Any, Dict, Iterator, List

import pytest
import requests

from esteira.local.cloud.faults import Fault, Faults, Kind
from esteira.local.cloud.refusal import Refused, missing, there_already
from esteira.local.cloud.server import Call, Raw, StandIn, served

pytestmark = pytest.mark.loopback

GET = "cloudresourcemanager.projects.get"
CREATE = "cloudbuild.projects.locations.builds.create"
PROJECT = "cloudresourcemanager/v1/projects/demo-project"
BUILDS = "cloudbuild/v1/projects/demo-project/locations/global/builds"
TIMEOUT_S = 30


@pytest.fixture
def done() -> List[Call]:
    """What was really done."""
    return []


@pytest.fixture
def stand_in(done: List[Call]) -> Iterator[StandIn]:
    def create(call: Call) -> Dict[str, str]:
        done.append(call)
        return {"name": "operations/build/demo-project/b-1"}

    with served(StandIn({GET: lambda call: {"projectId": call.parameters["projectId"]}, CREATE: create})) as running:
        yield running


def ask(stand_in: StandIn, http: str, path: str, **options: Any) -> requests.Response:
    return requests.request(http, stand_in.url + path, timeout=TIMEOUT_S, **options)


def refusal(answer: requests.Response) -> Dict[str, Any]:
    error: Dict[str, Any] = answer.json()["error"]
    assert error["code"] == answer.status_code
    return error


def test_a_call_is_answered_and_kept(stand_in: StandIn, done: List[Call]) -> None:
    answer = ask(stand_in, "POST", f"{BUILDS}?projectId=demo-project", json={"steps": [{"name": "builder"}]})
    assert (answer.status_code, answer.json()) == (200, {"name": "operations/build/demo-project/b-1"})
    (call,) = done
    assert call.method == CREATE
    assert call.parameters == {"parent": "projects/demo-project/locations/global", "projectId": "demo-project"}
    assert call.body == {"steps": [{"name": "builder"}]}
    assert call.headers["Content-Type"] == "application/json"
    assert stand_in.called(CREATE) == [call]
    assert stand_in.called(GET) == []


def test_gcloud_and_the_engine_find_it(stand_in: StandIn) -> None:
    variables = stand_in.variables()
    assert variables["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBUILD"] == f"{stand_in.url}cloudbuild/"
    assert variables["CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"] == f"{stand_in.url}storage/v1/"
    assert variables["CLOUDSDK_API_ENDPOINT_OVERRIDES_BIGQUERY"] == f"{stand_in.url}bigquery/v2/"
    assert f"{variables['STORAGE_EMULATOR_HOST']}/" == stand_in.url


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("nothing/v1/a", 404, "GET /nothing/v1/a: no API is served here"),
        ("cloudbuild/v1/a", 501, "cloudbuild: GET v1/a is no method that documents/ has"),
        (f"{BUILDS}/b-1", 501, "cloudbuild.projects.locations.builds.get: the stand-in does not answer it"),
    ],
)
def test_what_it_does_not_answer_it_says(stand_in: StandIn, path: str, status: int, message: str) -> None:
    answer = ask(stand_in, "GET", path)
    assert (answer.status_code, refusal(answer)["message"]) == (status, message)
    assert stand_in.calls == []


def test_a_request_that_google_would_refuse_is_refused_in_its_words(stand_in: StandIn, done: List[Call]) -> None:
    body = {"steps": [{"name": "builder", "wait_for": ["-"]}], "options": {"logging": "NOWHERE"}}
    answer = ask(stand_in, "POST", f"{BUILDS}?dryRun=true", json=body)
    error = refusal(answer)
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    first, second, third = error["message"].splitlines()
    assert first == 'Invalid JSON payload received. Unknown name "dryRun": Cannot bind query parameter.'
    assert second == "Invalid JSON payload received. Unknown name \"wait_for\" at 'steps[0]': Cannot find field."
    assert third.startswith("Invalid value at 'options.logging': \"NOWHERE\", expected one of ")
    assert refusal(ask(stand_in, "POST", BUILDS, data=b"{"))["message"] == "Invalid JSON payload received."
    assert done == []


def test_an_answer_that_google_would_not_give_is_not_given(stand_in: StandIn) -> None:
    stand_in.add({GET: lambda call: {"projectID": "demo-project"}})
    error = refusal(ask(stand_in, "GET", PROJECT))
    assert error["code"] == 500
    assert error["message"] == (
        f"the stand-in's answer to {GET} is wrong: Invalid JSON payload received. "
        "Unknown name \"projectID\" at '': Cannot find field."
    )


def test_an_answer_of_nothing_is_as_google_gives_it(stand_in: StandIn) -> None:
    nothing = lambda call: None  # noqa: E731
    stand_in.add({"storage.objects.delete": nothing, "iam.projects.serviceAccounts.delete": nothing})
    deleted = ask(stand_in, "DELETE", "storage/v1/b/demo-bucket/o/a")
    assert (deleted.status_code, deleted.content) == (204, b"")
    account = "iam/v1/projects/demo-project/serviceAccounts/a@demo-project.iam.gserviceaccount.com"
    assert ask(stand_in, "DELETE", account).json() == {}


@pytest.mark.parametrize(
    ("kind", "status", "word", "reason", "retry_after"),
    [
        ("denied", 403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", None),
        ("disabled", 403, "PERMISSION_DENIED", "SERVICE_DISABLED", None),
        ("expired", 401, "UNAUTHENTICATED", None, None),
        ("quota", 429, "RESOURCE_EXHAUSTED", None, None),
        ("busy", 429, "RESOURCE_EXHAUSTED", None, "3"),
        ("unavailable", 503, "UNAVAILABLE", None, "3"),
    ],
)
def test_a_fault_is_an_answer_of_google_s(
    stand_in: StandIn, done: List[Call], kind: Kind, status: int, word: str, reason: Any, retry_after: Any
) -> None:
    stand_in.faults.add(Fault(CREATE, kind, retry_after_s=3))
    answer = ask(stand_in, "POST", BUILDS, json={})
    error = refusal(answer)
    assert (error["code"], error["status"]) == (status, word)
    assert [detail["reason"] for detail in error.get("details", [])] == ([reason] if reason else [])
    assert answer.headers.get("Retry-After") == retry_after
    assert done == []
    assert len(stand_in.called(CREATE)) == 1
    assert ask(stand_in, "POST", BUILDS, json={}).status_code == 200


@pytest.mark.parametrize(("kind", "acted"), [("reset", 0), ("lost", 1)])
def test_a_connection_ends_before_or_after_it_acted(
    stand_in: StandIn, done: List[Call], kind: Kind, acted: int
) -> None:
    stand_in.faults.add(Fault(CREATE, kind))
    with pytest.raises(requests.ConnectionError):
        ask(stand_in, "POST", BUILDS, json={})
    assert (len(done), len(stand_in.called(CREATE))) == (acted, 1)


def test_a_missing_permission_is_named(stand_in: StandIn) -> None:
    stand_in.faults.add(Fault(CREATE, "denied"))
    (detail,) = refusal(ask(stand_in, "POST", BUILDS, json={}))["details"]
    assert detail["metadata"]["permission"] == "cloudbuild.builds.create"


def test_faults_come_as_often_and_as_late_as_they_are_told() -> None:
    faults = Faults()
    faults.add(Fault(r"storage\.objects\..*", "reset", times=2, skip=1))
    faults.add(Fault("storage.objects.get", "quota"))
    kinds = []
    for method in ("storage.objects.get", "storage.buckets.get", "storage.objects.list", "storage.objects.get"):
        fault = faults.take(method)
        kinds.append(fault.kind if fault else "")
    assert kinds == ["quota", "", "reset", "reset"]
    assert faults.waiting == []


def test_refusals_are_those_of_google(stand_in: StandIn) -> None:
    def refuse(call: Call) -> None:
        raise missing("Requested entity was") if call.http == "GET" else there_already("b-1")

    stand_in.add({GET: refuse, CREATE: refuse, "storage.buckets.get": refuse})
    assert refusal(ask(stand_in, "GET", PROJECT))["status"] == "NOT_FOUND"
    assert refusal(ask(stand_in, "POST", BUILDS, json={}))["message"] == "Requested entity already exists: b-1"
    (entry,) = refusal(ask(stand_in, "GET", "storage/v1/b/none"))["errors"]
    assert (entry["domain"], entry["reason"]) == ("global", "notFound")


def test_contents_are_calls_of_their_methods(stand_in: StandIn) -> None:
    upload = lambda call: Raw(200, call.content, {})  # noqa: E731
    stand_in.paths.update({"upload/storage/v1/": upload, "v2/": upload})
    assert ask(stand_in, "POST", "upload/storage/v1/b/demo-bucket/o?uploadType=media&name=a", data=b"x").content == b"x"
    ask(stand_in, "PUT", "upload/storage/v1/b/demo-bucket/o?upload_id=1", data=b"y")
    ask(stand_in, "GET", "v2/")
    assert [call.method for call in stand_in.calls] == ["storage.objects.insert", "storage.objects.insert", "v2/"]
    wrong = ask(stand_in, "POST", "upload/storage/v1/b/demo-bucket/o?nme=a")
    assert 'Unknown name "nme": Cannot bind query parameter.' in refusal(wrong)["message"]
    assert ask(stand_in, "POST", "upload/storage/v1/nothing").status_code == 404


def test_a_body_that_google_passes_on_is_not_read(stand_in: StandIn) -> None:
    method = "aiplatform.projects.locations.endpoints.rawPredict"
    stand_in.add({method: lambda call: Raw(200, call.content, {})})
    endpoint = "projects/demo-project/locations/europe-west1/endpoints/1"
    assert ask(stand_in, "POST", f"aiplatform/v1/{endpoint}:rawPredict", data=b"\xff{").content == b"\xff{"
    (call,) = stand_in.called(method)
    assert (call.parameters, call.body) == ({"endpoint": endpoint}, None)


def test_a_body_that_comes_in_chunks_is_read(stand_in: StandIn, done: List[Call]) -> None:
    answer = ask(stand_in, "POST", BUILDS, data=iter([b'{"steps": ', b"[]}"]))
    assert answer.status_code == 200
    assert done[0].body == {"steps": []}


def test_a_refusal_of_a_handler_goes_to_who_asks(stand_in: StandIn) -> None:
    def refuse(call: Call) -> None:
        raise Refused(412, "No.", retry_after_s=2)

    stand_in.add({GET: refuse})
    answer = ask(stand_in, "GET", PROJECT)
    assert (refusal(answer)["status"], answer.headers["Retry-After"]) == ("FAILED_PRECONDITION", "2")
