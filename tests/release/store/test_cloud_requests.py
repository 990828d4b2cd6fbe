"""The requests that the store makes, held against Google's discovery document."""

import json
import os
import re
from pathlib import Path
from typing import Any, Dict, List
from urllib.parse import parse_qsl, urlsplit

import pytest

from esteira.local.cloud.discovery import discovery
from esteira.release.store.cloud import CloudStore
from esteira.release.store.content import CHUNK_BYTES
from esteira.release.store.interface import ABSENT, ConflictError
from esteira.settings import Environment
from tests.release.store.front import Request, front_of

pytestmark = [pytest.mark.loopback, pytest.mark.programs]

STORAGE = discovery("storage")


def test_each_request_is_one_that_google_documents(
    bucket_server: str, environment: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "small").write_bytes(b"x")
    (tmp_path / "large").write_bytes(os.urandom(CHUNK_BYTES + 1))
    with front_of(bucket_server) as front:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", front.url)
        store = CloudStore(environment, "sentiment")
        generation = store.write("a name/current", b"one", if_generation=ABSENT)
        with pytest.raises(ConflictError):
            store.write("a name/current", b"two", if_generation=generation + 1)
        store.read("a name/current")
        store.read("none")
        store.lay_down("data/0a1b", [(name, tmp_path / name) for name in ("small", "large")])
        store.list("data")
        store.delete(["a name/current"])
    # The pieces of a resumable upload go to a place that the server names.
    asked = [request for request in front.requests if request.method != "PUT"]
    assert {check_request(request) for request in asked} == {
        f"storage.objects.{name}" for name in ("delete", "get", "insert", "list")
    }
    sent = [upload for request in asked for upload in object_of(request)]
    assert [sorted(upload) for upload in sent[:3:2]] == [
        ["cacheControl", "crc32c", "metadata", "name"],
        ["crc32c", "name"],
    ]
    for upload in sent:
        assert list(STORAGE.faults(upload, {"$ref": "Object"}, "")) == []


def check_request(request: Request) -> str:
    """Return which documented method a request calls; fail for a parameter that it does not have."""
    url = urlsplit(request.path)
    found = STORAGE.find(request.method, re.sub("^/(upload/)?storage/v1/", "", url.path))
    assert found
    assert list(STORAGE.query_faults(found[0], dict(parse_qsl(url.query)))) == []
    return found[0].id


def object_of(request: Request) -> List[Dict[str, Any]]:
    """Return the object that an upload describes: the body that begins one, or the first of two parts."""
    if request.method != "POST":
        return []
    found = re.search(rb"\{.*?\}(?=\r\n--|$)", request.body, re.DOTALL)
    assert found
    return [json.loads(found[0])]
