"""What a bucket's store does on its own; test_store.py holds what all stores do."""

from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
import requests

from esteira.errors import StateError
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.server import StandIn
from esteira.release.store.cloud import CloudStore
from esteira.release.store.interface import ABSENT
from esteira.settings import Environment
from tests.release.store.front import Answer, Damage, Front, Judge, Request, front_of

pytestmark = [pytest.mark.loopback, pytest.mark.programs]

AGAIN = "Check the network, then run the command again: it goes on from what is there."
LOG_IN = "Log in: gcloud auth application-default login    Then run the command again."
NO_CREDENTIALS = "there are no credentials for Google Cloud that can be used"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.csv"
    path.write_text("a,b\n")
    return path


@pytest.fixture
def behind(
    bucket_server: str, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Judge], Front]]:
    """Return a function that puts a front before the bucket server, where the client finds it."""
    opened = []

    def put(judge: Judge) -> Front:
        opened.append(front_of(bucket_server, judge))
        front = opened[-1].__enter__()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", front.url)
        return front

    yield put
    for front in opened:
        front.__exit__(None, None, None)


def once(picks: Callable[[Request], bool], answer: Answer) -> Judge:
    """Return a judge that gives the answer to the first request that is picked."""
    left = [answer]
    return lambda request: left.pop() if left and picks(request) else None


def is_upload(request: Request) -> bool:
    return request.path.startswith("/upload/")


def metadata(bucket_server: str, environment: Environment, name: str) -> Dict[str, Any]:
    path = f"{bucket_server}/storage/v1/b/{environment.bucket}/o/{requests.utils.quote(name, safe='')}"
    found: Dict[str, Any] = requests.get(path, timeout=30).json()
    return found


def test_objects_say_what_they_are(bucket_server: str, environment: Environment, source: Path) -> None:
    store = CloudStore(environment, "sentiment")
    store.write("current", b"0a1b2c3d\n")
    store.write("releases/0a1b/release.json", b"{}")
    store.lay_down("data/0a1b", [("train.csv", source), ("model.bin", source)])
    kinds = {
        name: metadata(bucket_server, environment, f"sentiment/{name}")
        for name in ("current", "releases/0a1b/release.json", "data/0a1b/train.csv", "data/0a1b/model.bin")
    }
    assert [kind["contentType"] for kind in kinds.values()] == [
        "text/plain; charset=utf-8",
        "application/json",
        "text/csv; charset=utf-8",
        "application/octet-stream",
    ]
    assert [kind.get("cacheControl") for kind in kinds.values()] == ["no-cache", "no-cache", None, None]


def test_only_what_is_missing_is_sent(behind: Callable[[Judge], Front], environment: Environment, source: Path) -> None:
    front = behind(lambda request: None)
    store = CloudStore(environment, "sentiment")
    store.lay_down("data/0a1b", [("one", source)])
    store.lay_down("data/0a1b", [("one", source), ("two", source)])
    sent = [request for request in front.requests if is_upload(request)]
    assert [b'"name": "sentiment/data/0a1b/%s"' % name in upload.body for name, upload in zip((b"one", b"two"), sent)]
    assert len(sent) == 2
    assert all("ifGenerationMatch=0" in upload.path and b'"crc32c": "' in upload.body for upload in sent)


def test_a_write_whose_answer_was_lost_counts(behind: Callable[[Judge], Front], environment: Environment) -> None:
    behind(once(is_upload, Answer(503, after=True)))
    store = CloudStore(environment, "sentiment")
    generation = store.write("current", b"one", if_generation=ABSENT)
    assert store.read("current") == (b"one", generation)


def test_another_writer_s_equal_object_is_taken(
    behind: Callable[[Judge], Front], bucket_server: str, environment: Environment, source: Path
) -> None:
    def first(request: Request) -> None:
        """Lay the same object down just before this writer does."""
        if is_upload(request):
            requests.post(
                f"{bucket_server}/upload/storage/v1/b/{environment.bucket}/o",
                params={"uploadType": "media", "name": "sentiment/data/0a1b/one"},
                data=contents.pop() if contents else b"a,b\n",
                timeout=30,
            )

    contents: List[bytes] = []
    behind(first)
    store = CloudStore(environment, "sentiment")
    store.lay_down("data/0a1b", [("one", source)])
    store.delete(["data/0a1b/one"])
    contents.append(b"b,a\n")
    with pytest.raises(StateError, match="data/0a1b/one: holds another content"):
        store.lay_down("data/0a1b", [("one", source)])


def test_after_a_failure_nothing_else_is_begun(
    behind: Callable[[Judge], Front], environment: Environment, source: Path
) -> None:
    front = behind(lambda request: Answer(403, "no access") if is_upload(request) else None)
    with pytest.raises(StateError, match="no access"):
        CloudStore(environment, "sentiment").lay_down("data", [(str(number), source) for number in range(200)])
    assert len(front.requests) < 100


def test_a_missing_permission_says_which_role(
    behind: Callable[[Judge], Front], environment: Environment, source: Path
) -> None:
    message = "ml@example.com does not have storage.objects.create access to the Google Cloud Storage object."
    behind(lambda request: Answer(403, message))
    store = CloudStore(environment, "sentiment")
    expected = (
        f"Cloud Storage forbids it: {message}\n"
        "Expected the role roles/storage.objectAdmin on the bucket. Have one who owns it run:\n"
        f"gcloud storage buckets add-iam-policy-binding gs://{environment.bucket} "
        "--member=user:YOUR_ADDRESS --role=roles/storage.objectAdmin"
    )
    calls: Dict[str, Callable[[], object]] = {
        "current: cannot read": lambda: store.read("current"),
        "current: cannot write": lambda: store.write("current", b""),
        "data: cannot list": lambda: store.list("data"),
        "current: cannot remove": lambda: store.delete(["current"]),
        "data/0a1b: cannot list": lambda: store.lay_down("data/0a1b", [("one", source)]),
    }
    for what, call in calls.items():
        with pytest.raises(StateError) as caught:
            call()
        assert str(caught.value) == f"{store.uri}/{what}: {expected}"


def test_an_api_that_is_disabled_says_how_to_enable_it(stand_in: StandIn, environment: Environment) -> None:
    stand_in.faults.add(Fault("storage.objects.get", "disabled"))
    with pytest.raises(StateError) as caught:
        CloudStore(environment, "sentiment").read("current")
    first, last = str(caught.value).splitlines()
    assert "current: cannot read: Cloud Storage forbids it: storage.googleapis.com has not been used in" in first
    assert last == "Run: gcloud services enable storage.googleapis.com --project=demo-project"


def test_a_missing_bucket_says_how_to_create_it(environment: Environment, source: Path) -> None:
    store = CloudStore(environment.copy(update={"bucket": "no-such-bucket"}), "sentiment")
    calls: List[Callable[[], object]] = [
        lambda: store.read("current"),
        lambda: store.write("current", b"", if_generation=ABSENT),
        lambda: store.list(""),
        lambda: store.lay_down("data/0a1b", [("one", source)]),
    ]
    for call in calls:
        with pytest.raises(StateError) as caught:
            call()
        first, *rest = str(caught.value).splitlines()
        assert "there is no bucket no-such-bucket: " in first
        assert rest == [
            "Expected the one that environments in esteira.toml names. Create it:",
            "gcloud storage buckets create gs://no-such-bucket --project=demo-project "
            "--location=europe-west1 --uniform-bucket-level-access",
        ]


def test_a_server_that_is_not_reached_is_told(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    store = CloudStore(environment, "sentiment", retry_s=0)
    calls: List[Callable[[], object]] = [
        lambda: store.read("current"),
        lambda: store.write("current", b""),
        lambda: store.list(""),
        lambda: store.delete(["current"]),
    ]
    for call in calls:
        with pytest.raises(StateError, match="Cloud Storage does not answer: .*Connection refused") as caught:
            call()
        assert str(caught.value).splitlines()[1:] == [AGAIN]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "Cloud Storage answers: what it said\nRun the command again."),
        (401, f"{NO_CREDENTIALS}: what it said\n{LOG_IN}"),
        (429, "Cloud Storage is asked too often: what it said\nRun the command again in a minute."),
        (500, f"Cloud Storage does not answer: what it said\n{AGAIN}"),
    ],
)
def test_what_the_server_answers_is_told(
    behind: Callable[[Judge], Front], environment: Environment, status: int, expected: str
) -> None:
    behind(lambda request: Answer(status, "what it said"))
    store = CloudStore(environment, "sentiment", retry_s=0)
    calls: Dict[str, Callable[[], object]] = {
        "read": lambda: store.read("current"),
        "write": lambda: store.write("current", b""),
        "remove": lambda: store.delete(["current"]),
    }
    for what, call in calls.items():
        with pytest.raises(StateError) as caught:
            call()
        assert str(caught.value) == f"{store.uri}/current: cannot {what}: {expected}"


def test_damage_on_the_way_is_found(behind: Callable[[Judge], Front], environment: Environment, source: Path) -> None:
    store = CloudStore(environment, "sentiment")
    store.write("current", b"0a1b")
    behind(lambda request: Damage(b"0a1b", b"0a1c") if request.method == "GET" else Damage(b"a,b", b"a,c"))
    store = CloudStore(environment, "sentiment")
    with pytest.raises(StateError, match="current: cannot read: Cloud Storage answers: Checksum mismatch"):
        store.read("current")
    with pytest.raises(StateError, match="data/1/one: holds another content than was laid down there"):
        store.lay_down("data/1", [("one", source)])


@pytest.mark.parametrize("credentials", ["", "none.json"])
def test_missing_credentials_say_how_to_log_in(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credentials: str
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", credentials and str(tmp_path / credentials))
    with pytest.raises(StateError) as caught:
        CloudStore(environment, "sentiment").read("current")
    first, *rest = str(caught.value).splitlines()
    assert f"sentiment/current: cannot read: {NO_CREDENTIALS}: " in first
    assert rest == [LOG_IN]
