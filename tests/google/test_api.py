"""Requests to Google's APIs: what is repeated, for how long, and what is said in the end."""

from typing import Callable, Iterator, List, Optional

import pytest

from esteira.errors import GoogleError
from esteira.google.api import Api, Json
from esteira.google.refusals import AbortedError, ChangedError, ExistsError, LostError, NotFoundError
from esteira.local.cloud.faults import Fault, Kind
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, Raw, StandIn, served

pytestmark = pytest.mark.loopback

GET = "cloudresourcemanager.projects.get"
CREATE = "cloudbuild.projects.locations.builds.create"
CREATED = {"name": "operations/build/demo-project/b-1"}
BUILD = {"steps": [{"name": "builder"}]}
AGAIN = "Run the command again: it goes on from what is there."
QUOTAS = "https://console.cloud.google.com/iam-admin/quotas?project=demo-project"


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with served(StandIn({GET: lambda call: {"projectId": "demo-project"}, CREATE: lambda call: CREATED})) as running:
        yield running


@pytest.fixture
def pauses() -> List[float]:
    """The pauses that were asked for, in seconds, without what chance adds."""
    return []


@pytest.fixture
def api(stand_in: StandIn, pauses: List[float]) -> Api:
    # Chance adds at most a quarter.
    return Api("demo-project", "europe-west1", stand_in.variables(), environment="dev", pause=pauses.append)


def get(api: Api) -> Json:
    return api.call("look at the project", "cloudresourcemanager", "GET", "v1/projects/demo-project")


def create(api: Api, find: Optional[Callable[[], Optional[Json]]] = None, repeat: Optional[bool] = None) -> Json:
    path = "v1/projects/demo-project/locations/global/builds"
    return api.call("create the build", "cloudbuild", "POST", path, body=BUILD, find=find, repeat=repeat)


def assert_pauses(pauses: List[float], expected: List[float]) -> None:
    """Chance adds up to a quarter to each, so that clients do not come back all at once."""
    assert len(pauses) == len(expected)
    assert all(least <= pause <= least * 1.25 for pause, least in zip(pauses, expected)), pauses


def test_an_answer_is_its_json(api: Api, pauses: List[float]) -> None:
    assert get(api) == {"projectId": "demo-project"}
    assert create(api) == CREATED
    assert pauses == []


@pytest.mark.parametrize("kind", ["unavailable", "busy"])
def test_what_the_server_asks_to_wait_is_waited(api: Api, stand_in: StandIn, pauses: List[float], kind: Kind) -> None:
    stand_in.faults.add(Fault(CREATE, kind, times=2, retry_after_s=7))
    assert create(api) == CREATED
    assert_pauses(pauses, [7, 7])


def test_without_a_word_the_pauses_grow(api: Api, stand_in: StandIn, pauses: List[float]) -> None:
    stand_in.faults.add(Fault(GET, "unavailable", times=4, retry_after_s=0))
    get(api)
    assert_pauses(pauses, [0.5, 1, 2, 4])


def test_a_pause_that_is_too_long_is_cut(api: Api, stand_in: StandIn, pauses: List[float]) -> None:
    stand_in.faults.add(Fault(GET, "unavailable", retry_after_s=3600))
    get(api)
    assert_pauses(pauses, [30])


def test_a_quota_that_stays_exceeded_is_told(api: Api, stand_in: StandIn, pauses: List[float]) -> None:
    stand_in.faults.add(Fault(CREATE, "quota", times=100))
    with pytest.raises(GoogleError) as caught:
        create(api)
    assert str(caught.value) == (
        "Google Cloud: cannot create the build: Quota exceeded for quota metric 'cloudbuild' of service "
        f"'cloudbuild.googleapis.com'.\nWait a minute and run the command again, or ask for more: {QUOTAS}"
    )
    assert (caught.value.status, caught.value.reason) == (429, "RESOURCE_EXHAUSTED")
    assert_pauses(pauses, [0.5, 1, 2, 4, 8, 16])


def test_a_service_that_stays_away_is_told(api: Api, stand_in: StandIn) -> None:
    stand_in.faults.add(Fault(CREATE, "unavailable", times=100))
    with pytest.raises(GoogleError) as caught:
        create(api)
    assert str(caught.value) == (
        f"Google Cloud: cannot create the build: The service is currently unavailable.\n{AGAIN}"
    )


@pytest.mark.parametrize(("kind", "made"), [("reset", 0), ("lost", 1)])
def test_what_may_have_been_done_is_not_done_again(
    api: Api, stand_in: StandIn, pauses: List[float], kind: Kind, made: int
) -> None:
    done = counting(stand_in)
    stand_in.faults.add(Fault(CREATE, kind))
    with pytest.raises(LostError) as caught:
        create(api)
    assert str(caught.value) == (
        "Google Cloud: cannot create the build: no answer: Remote end closed connection without response\n"
        f"Check the network. {AGAIN}"
    )
    assert caught.value.said == "Remote end closed connection without response"
    assert (len(stand_in.called(CREATE)), len(done), pauses) == (1, made, [])


@pytest.mark.parametrize(("kind", "asked"), [("reset", 2), ("lost", 1)])
def test_what_can_be_found_is_not_made_twice(
    api: Api, stand_in: StandIn, pauses: List[float], kind: Kind, asked: int
) -> None:
    done = counting(stand_in)
    stand_in.faults.add(Fault(CREATE, kind))
    assert create(api, find=lambda: {"name": "found"} if done else None) == (
        {"name": "found"} if kind == "lost" else CREATED
    )
    assert (len(stand_in.called(CREATE)), len(done)) == (asked, 1)
    assert_pauses(pauses, [0.5])


def test_what_is_never_found_and_never_answered_is_told(api: Api, stand_in: StandIn) -> None:
    stand_in.faults.add(Fault(CREATE, "reset", times=100))
    with pytest.raises(LostError, match="no answer: Remote end closed connection without response"):
        create(api, find=lambda: None)


@pytest.mark.parametrize("kind", ["reset", "lost"])
def test_reading_is_repeated(api: Api, stand_in: StandIn, pauses: List[float], kind: Kind) -> None:
    stand_in.faults.add(Fault(GET, kind, times=2))
    assert get(api) == {"projectId": "demo-project"}
    assert_pauses(pauses, [0.5, 1])


def test_a_request_that_does_no_harm_twice_is_repeated(api: Api, stand_in: StandIn) -> None:
    stand_in.faults.add(Fault(CREATE, "lost"))
    assert create(api, repeat=True) == CREATED
    assert len(stand_in.called(CREATE)) == 2


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_an_answer_that_leaves_open_what_was_done_is_one_of_those(api: Api, stand_in: StandIn, status: int) -> None:
    answers: List[Raw] = []

    def fail(call: Call) -> Raw:
        answers.append(Raw(status, b"oops", {"Content-Type": "text/html"}))
        return answers[-1]

    stand_in.add({CREATE: fail})
    with pytest.raises(GoogleError, match=f"^Google Cloud: cannot create the build: status {status}"):
        create(api)
    assert len(answers) == 1
    assert create(api, find=lambda: {"name": "found"}) == {"name": "found"}


def test_a_connection_that_is_refused_is_tried_again_whatever_is_asked(pauses: List[float]) -> None:
    nobody = {"CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBUILD": "http://127.0.0.1:9/"}
    api = Api("demo-project", "europe-west1", nobody, pause=pauses.append, retry_s=3)
    with pytest.raises(LostError) as caught:
        create(api)
    assert str(caught.value) == (
        "Google Cloud: cannot create the build: no answer: Failed to establish a new connection: "
        f"[Errno 111] Connection refused\nCheck the network. {AGAIN}"
    )
    assert_pauses(pauses, [0.5, 1])


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFoundError), (409, ExistsError), (412, ChangedError), (400, GoogleError)]
)
def test_a_refusal_is_the_error_of_its_kind(api: Api, stand_in: StandIn, status: int, kind: type) -> None:
    def refuse(call: Call) -> None:
        raise Refused(status, "No.")

    stand_in.add({CREATE: refuse})
    with pytest.raises(kind) as caught:
        create(api)
    assert str(caught.value) == "Google Cloud: cannot create the build: No."
    assert getattr(caught.value, "said", "") == "No."
    assert len(stand_in.called(CREATE)) == 1


def test_what_another_operation_holds_up_is_asked_again(api: Api, stand_in: StandIn, pauses: List[float]) -> None:
    method, path = "aiplatform.projects.locations.endpoints.patch", "v1/projects/p/locations/europe-west1/endpoints/e"
    held_up = [True, True]

    def patch(call: Call) -> Json:
        if held_up and held_up.pop():
            raise Refused(409, "There are other operations running on the resource.", word="ABORTED")
        return {"name": "e"}

    def move(find: Optional[Callable[[], Optional[Json]]] = None) -> Json:
        return api.call("move the traffic", "aiplatform", "PATCH", path, body={"trafficSplit": {}}, find=find)

    stand_in.add({method: patch})
    assert move() == {"name": "e"}
    assert_pauses(pauses, [0.5, 1])
    held_up.append(True)
    assert move(find=lambda: {"name": "found"}) == {"name": "found"}
    held_up += [True] * 100
    with pytest.raises(AbortedError) as caught:
        move()
    assert str(caught.value) == (
        f"Google Cloud: cannot move the traffic: There are other operations running on the resource.\n{AGAIN}"
    )


def test_a_policy_that_was_changed_meanwhile_is_the_callers_to_read_again(api: Api, stand_in: StandIn) -> None:
    def refuse(call: Call) -> None:
        raise Refused(409, "There were concurrent policy changes.", word="ABORTED")

    stand_in.add({CREATE: refuse})
    with pytest.raises(AbortedError):
        create(api)
    assert len(stand_in.called(CREATE)) == 1


def test_a_missing_permission_and_a_disabled_api_are_told_with_their_remedy(api: Api, stand_in: StandIn) -> None:
    stand_in.faults.add(Fault(CREATE, "denied"))
    stand_in.faults.add(Fault(CREATE, "disabled"))
    stand_in.faults.add(Fault(CREATE, "expired"))
    expected = [
        "Whoever runs this lacks cloudbuild.builds.create. For a person, an owner runs: gcloud projects "
        "add-iam-policy-binding demo-project --member=user:NAME@EXAMPLE.COM --role=roles/cloudbuild.builds.editor"
        "    For an account of Esteira: make cloud-apply ENV=dev",
        "Run: make cloud-apply ENV=dev    Or: gcloud services enable cloudbuild.googleapis.com --project=demo-project",
        "Log in: gcloud auth application-default login    Then run the command again.",
    ]
    for remedy in expected:
        with pytest.raises(GoogleError) as caught:
            create(api)
        assert str(caught.value).splitlines()[-1] == remedy


def test_an_answer_that_ends_early_is_none(api: Api, stand_in: StandIn) -> None:
    headers = {"Content-Length": "29", "Connection": "close"}
    stand_in.add({GET: lambda call: Raw(200, b'{"projectId": "demo-pro', headers)})
    with pytest.raises(LostError, match="no answer: the answer ended after 23 of 29 bytes"):
        get(api)


def test_an_answer_that_is_no_json_is_told(api: Api, stand_in: StandIn) -> None:
    stand_in.add({GET: lambda call: Raw(200, b"<html>Log in to the network</html>", {"Content-Type": "text/html"})})
    with pytest.raises(GoogleError) as caught:
        get(api)
    assert str(caught.value) == f"Google Cloud: cannot look at the project: the answer is no JSON\n{AGAIN}"


def test_a_redirection_is_not_followed(api: Api, stand_in: StandIn) -> None:
    stand_in.add({GET: lambda call: Raw(302, b"", {"Location": f"{stand_in.url}elsewhere"})})
    with pytest.raises(GoogleError, match="cannot look at the project: status 302"):
        get(api)
    assert len(stand_in.calls) == 1


def test_a_refusal_in_plain_text_is_told(api: Api, stand_in: StandIn) -> None:
    stand_in.add({GET: lambda call: Raw(400, b"Invalid Upload Request\n", {"Content-Type": "text/plain"})})
    with pytest.raises(GoogleError, match="^Google Cloud: cannot look at the project: Invalid Upload Request$"):
        get(api)


def test_a_listing_is_of_all_pages(api: Api, stand_in: StandIn) -> None:
    pages = {"": ["a", "b"], "1": [], "2": ["c"]}

    def list_buckets(call: Call) -> Json:
        token = call.parameters.get("pageToken", "")
        more = {"": {"nextPageToken": "1"}, "1": {"nextPageToken": "2"}}.get(token, {})
        return {**more, **({"items": [{"name": name} for name in pages[token]]} if pages[token] else {})}

    stand_in.add({"storage.buckets.list": list_buckets})
    found = api.pages("list buckets", "storage", "b", "items", {"project": "demo-project", "softDeleted": False})
    assert [entry["name"] for entry in found] == ["a", "b", "c"]
    asked = [call.parameters for call in stand_in.calls]
    assert asked == [
        {"project": "demo-project", "softDeleted": "false", **token}
        for token in ({}, {"pageToken": "1"}, {"pageToken": "2"})
    ]


def test_a_parameter_may_be_given_several_times(api: Api, stand_in: StandIn) -> None:
    stand_in.add({"storage.buckets.testIamPermissions": lambda call: {}})
    query = {"permissions": ["storage.objects.get", "storage.objects.list"]}
    assert api.call("test", "storage", "GET", "b/demo-bucket/iam/testPermissions", query=query) == {}
    (call,) = stand_in.calls
    assert call.path.endswith("?permissions=storage.objects.get&permissions=storage.objects.list")


def test_on_this_machine_nobody_is_told_who_asks(api: Api, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past any proxy, too, and without what ~/.netrc has."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    get(api)
    (call,) = stand_in.calls
    assert "Authorization" not in call.headers
    assert call.headers["User-Agent"] == "esteira"


def test_a_token_goes_nowhere_in_the_clear(api: Api) -> None:
    with pytest.raises(GoogleError) as caught:
        api.request("", "PUT", "", url="http://storage.example.test/upload")
    assert str(caught.value) == (
        "Google Cloud: http://storage.example.test/upload: expected https://…, or http:// on 127.0.0.1"
    )


def counting(stand_in: StandIn) -> List[Call]:
    """Keep what was really done."""
    done: List[Call] = []

    def make(call: Call) -> Json:
        done.append(call)
        return CREATED

    stand_in.add({CREATE: make})
    return done


def test_no_patience_is_none(stand_in: StandIn, pauses: List[float]) -> None:
    stand_in.faults.add(Fault(GET, "unavailable", times=100))
    api = Api("demo-project", "europe-west1", stand_in.variables(), retry_s=0, pause=pauses.append)
    with pytest.raises(GoogleError):
        get(api)
    assert (pauses, len(stand_in.calls)) == ([], 1)
