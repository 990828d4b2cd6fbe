"""Buckets as the stand-in keeps them, asked as the engine asks Google."""

import os
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from esteira.errors import GoogleError
from esteira.google.api import Api, Json
from esteira.google.refusals import ChangedError, ExistsError, NotFoundError
from esteira.local.cloud import storage
from esteira.local.cloud.contents import Contents
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.server import StandIn, served
from esteira.local.cloud.storage import Buckets, etag, next_etag
from esteira.release.store.cloud import CloudStore
from esteira.settings import Environment

pytestmark = pytest.mark.loopback

NEW: Json = {
    "name": "demo-bucket",
    "location": "europe-west1",
    "labels": {"made-by": "esteira"},
    "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
    "versioning": {"enabled": True},
    "lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"numNewerVersions": 3}}]},
}
DENIED = (
    "developer@example.com does not have {0} access to the Google Cloud Storage bucket. "
    "Permission '{0}' denied on resource (or it may not exist)."
)


@pytest.fixture
def buckets() -> Buckets:
    return Buckets()


@pytest.fixture
def api(buckets: Buckets) -> Iterator[Api]:
    with served(StandIn(storage.handlers(buckets), storage.paths(buckets))) as stand_in:
        yield Api("demo-project", "europe-west1", stand_in.variables(), pause=lambda pause_s: None)


def call(api: Api, http: str, path: str, body: "Json | None" = None, **query: Any) -> Json:
    return api.call("do it", "storage", http, path, body=body, query=query)


def insert(api: Api, **fields: Any) -> Json:
    return call(api, "POST", "b", {**NEW, **fields}, project="demo-project")


def said(caught: "pytest.ExceptionInfo[Any]") -> str:
    return str(caught.value).splitlines()[0].partition("cannot do it: ")[2]


def test_a_bucket_is_made_as_it_was_asked_for(api: Api) -> None:
    made = insert(api)
    assert call(api, "GET", "b/demo-bucket") == made
    expected = {
        "name": "demo-bucket",
        "location": "EUROPE-WEST1",
        "locationType": "region",
        "projectNumber": "123456789012",
        "metageneration": "1",
        "etag": "CAE=",
        "labels": NEW["labels"],
        "versioning": NEW["versioning"],
        "lifecycle": NEW["lifecycle"],
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}, "publicAccessPrevention": "inherited"},
    }
    assert {key: made[key] for key in expected} == expected


def test_a_patch_changes_what_it_names(api: Api) -> None:
    insert(api)
    changed = call(api, "PATCH", "b/demo-bucket", {"labels": {"made-by": None, "a": "b"}, "lifecycle": None})
    assert (changed["labels"], changed["versioning"]) == ({"a": "b"}, {"enabled": True})
    assert "lifecycle" not in changed
    assert (changed["metageneration"], changed["etag"]) == ("2", "CAI=")
    with pytest.raises(ChangedError):
        call(api, "PATCH", "b/demo-bucket", {"labels": {}}, ifMetagenerationMatch=1)
    call(api, "PATCH", "b/demo-bucket", {"location": "US"}, ifMetagenerationMatch=2)
    assert call(api, "GET", "b/demo-bucket")["location"] == "EUROPE-WEST1"


def test_a_bucket_is_made_once_and_removed_once(api: Api) -> None:
    insert(api)
    with pytest.raises(ExistsError) as caught:
        insert(api)
    assert said(caught) == storage.YOURS
    assert call(api, "DELETE", "b/demo-bucket") == {}
    for http in ("DELETE", "GET"):
        with pytest.raises(NotFoundError) as gone:
            call(api, http, "b/demo-bucket")
        assert said(gone) == "The specified bucket does not exist."
    assert insert(api)["metageneration"] == "1"


def test_a_stranger_s_bucket_is_theirs(api: Api, buckets: Buckets) -> None:
    buckets.put("demo-bucket", stranger=True)
    with pytest.raises(ExistsError) as caught:
        insert(api)
    assert said(caught) == storage.TAKEN
    with pytest.raises(GoogleError) as denied:
        call(api, "GET", "b/demo-bucket")
    assert said(denied) == DENIED.format("storage.buckets.get")
    assert call(api, "GET", "b", project="demo-project") == {"kind": "storage#buckets", "items": []}
    asked = ["storage.buckets.get"]
    assert "permissions" not in call(api, "GET", "b/demo-bucket/iam/testPermissions", permissions=asked)


def test_a_bucket_may_be_elsewhere(api: Api, buckets: Buckets) -> None:
    buckets.put("demo-bucket", "us-east1", labels={"a": "b"})
    buckets.put("other-bucket", "eu")
    listed = call(api, "GET", "b", project="demo-project", prefix="demo")["items"]
    assert [(item["name"], item["location"], item["labels"]) for item in listed] == [
        ("demo-bucket", "US-EAST1", {"a": "b"})
    ]
    assert call(api, "GET", "b/other-bucket")["locationType"] == "multi-region"


def test_a_policy_is_changed_from_what_it_was(api: Api) -> None:
    insert(api)
    policy = call(api, "GET", "b/demo-bucket/iam")
    assert [binding["role"] for binding in policy["bindings"]] == [
        "roles/storage.legacyBucketOwner",
        "roles/storage.legacyBucketReader",
    ]
    binding = {"role": "roles/storage.objectAdmin", "members": ["user:developer@example.com"]}
    changed = call(api, "PUT", "b/demo-bucket/iam", {**policy, "bindings": [*policy["bindings"], binding]})
    assert changed["bindings"][2] == binding
    assert (policy["etag"], changed["etag"]) == ("CAE=", "CAI=")
    with pytest.raises(ChangedError):
        call(api, "PUT", "b/demo-bucket/iam", policy)


def test_permissions_that_somebody_lacks_are_missed(api: Api, buckets: Buckets) -> None:
    buckets.lacking.update(["storage.buckets.update", "storage.buckets.create"])
    buckets.put("demo-bucket")
    asked = ["storage.buckets.get", "storage.buckets.update"]
    tested = call(api, "GET", "b/demo-bucket/iam/testPermissions", permissions=asked)
    assert tested["permissions"] == ["storage.buckets.get"]
    with pytest.raises(GoogleError) as caught:
        call(api, "PATCH", "b/demo-bucket", {"labels": {}})
    assert said(caught) == DENIED.format("storage.buckets.update")
    with pytest.raises(GoogleError, match="storage.buckets.create access to the Google Cloud Storage project"):
        insert(api, name="another-bucket")


def test_another_project_is_not_found(api: Api) -> None:
    with pytest.raises(NotFoundError):
        call(api, "POST", "b", NEW, project="wrong-project")


def test_the_service_agent_is_named_by_the_project_s_number(api: Api) -> None:
    agent = call(api, "GET", "projects/demo-project/serviceAccount")
    assert agent["email_address"] == "service-123456789012@gs-project-accounts.iam.gserviceaccount.com"


def test_etags_are_those_of_cloud_storage() -> None:
    assert [etag(1), etag(2), next_etag(etag(1))] == ["CAE=", "CAI=", "CAI="]
    tags = ["CAE="]
    for _ in range(600):
        tags.append(next_etag(tags[-1]))
    assert len(set(tags)) == 601


@pytest.mark.programs
def test_a_bucket_that_holds_something_stays(bucket_server: str) -> None:
    buckets = Buckets(Contents(bucket_server))
    with served(StandIn(storage.handlers(buckets), storage.paths(buckets))) as stand_in:
        api = Api("demo-project", "europe-west1", stand_in.variables())
        insert(api, name="a-full-bucket")
        environment = Environment(
            project="demo-project", region="europe-west1", bucket="a-full-bucket", repository="images"
        )
        store = CloudStore(environment, "sentiment", api)
        store.write("current", b"0a1b")
        with pytest.raises(ExistsError, match="The bucket you tried to delete is not empty."):
            call(api, "DELETE", "b/a-full-bucket")
        store.delete(["current"])
        call(api, "DELETE", "b/a-full-bucket")
        with pytest.raises(NotFoundError):
            call(api, "GET", "b/a-full-bucket/o")


@pytest.mark.programs
def test_an_object_is_deleted_at_the_generation_that_is_expected(
    stand_in: StandIn, environment: Environment, tmp_path: Path
) -> None:
    api = Api("demo-project", "europe-west1", stand_in.variables())
    store = CloudStore(environment, "sentiment", api)
    generation = store.write("current", b"one")
    place = f"b/{environment.bucket}/o/sentiment%2Fcurrent"
    with pytest.raises(ChangedError):
        call(api, "DELETE", place, ifGenerationMatch=generation + 1)
    assert call(api, "DELETE", place, ifGenerationMatch=generation) == {}
    assert store.read("current") is None


@pytest.mark.programs
@pytest.mark.parametrize("kind", ["reset", "lost", "unavailable"])
def test_a_deploy_s_writes_survive_what_happens_on_the_way(
    stand_in: StandIn, environment: Environment, kind: Any
) -> None:
    store = CloudStore(
        environment,
        "sentiment",
        Api("demo-project", "europe-west1", stand_in.variables(), pause=lambda pause_s: None),
    )
    for method in ("insert", "get", "list", "delete"):
        stand_in.faults.add(Fault(f"storage.objects.{method}", kind))
    generation = store.write("current", b"one", if_generation=0)
    assert store.read("current") == (b"one", generation)
    assert [entry.name for entry in store.list("")] == ["current"]
    store.delete(["current"])
    assert store.list("") == []
    assert stand_in.faults.waiting == []


@pytest.mark.programs
def test_an_upload_is_held_against_google_s_description(stand_in: StandIn, environment: Environment) -> None:
    api = Api("demo-project", "europe-west1", stand_in.variables())
    bodies: List[Dict[str, Any]] = [{"name": "a", "crc32": "x"}, {"name": 1}]
    for resource in bodies:
        url = f"{stand_in.url}upload/storage/v1/b/{environment.bucket}/o"
        answer = api.request("", "POST", "", url=url, query={"uploadType": "resumable"}, body=resource)
        assert answer.status_code == 400


@pytest.mark.programs
def test_google_s_client_library_and_the_store_read_what_the_other_wrote(
    stand_in: StandIn, environment: Environment, tmp_path: Path
) -> None:
    from google.api_core.exceptions import PreconditionFailed
    from google.cloud import storage as client_library

    store = CloudStore(environment, "sentiment", Api("demo-project", "europe-west1", stand_in.variables()))
    bucket = client_library.Client(project="demo-project").get_bucket(environment.bucket)
    generation = store.write("current", b"0a1b")
    content = os.urandom((8 << 20) + 1)
    (tmp_path / "large").write_bytes(content)
    store.lay_down("data/1", [("large", tmp_path / "large")])
    blob = bucket.get_blob("sentiment/current")
    assert (blob.generation, blob.cache_control, blob.download_as_bytes()) == (generation, "no-cache", b"0a1b")
    assert bucket.blob("sentiment/data/1/large").download_as_bytes() == content
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"0a1c", if_generation_match=generation + 1)
    large = bucket.blob("sentiment/data/1/other", chunk_size=1 << 20)
    large.upload_from_filename(str(tmp_path / "large"), if_generation_match=0)
    stored = store.read("data/1/other")
    assert stored and stored == (content, large.generation)
    store.lay_down("data/1", [("large", tmp_path / "large"), ("other", tmp_path / "large")])
    with pytest.raises(PreconditionFailed):
        large.upload_from_filename(str(tmp_path / "large"), if_generation_match=0)
