"""Large objects go in pieces, and go on after a cut where the server has got to."""

import os
from pathlib import Path
from typing import List

import pytest

from esteira.errors import StateError
from esteira.google.api import Api
from esteira.local.cloud.faults import Fault, Kind
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, Raw, StandIn
from esteira.release.store.cloud import CloudStore
from esteira.release.store.content import CHUNK_BYTES
from esteira.settings import Environment

pytestmark = [pytest.mark.loopback, pytest.mark.programs]
NAME = "data/0a1b/large"


@pytest.fixture
def store(stand_in: StandIn, environment: Environment) -> CloudStore:
    api = Api("demo-project", "europe-west1", stand_in.variables(), pause=lambda pause_s: None)
    return CloudStore(environment, "sentiment", api)


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    content = os.urandom(2 * CHUNK_BYTES + 1)
    (tmp_path / "large").write_bytes(content)
    return content


def lay(store: CloudStore, tmp_path: Path) -> None:
    store.lay_down("data/0a1b", [("large", tmp_path / "large")])


def spans(stand_in: StandIn) -> List[str]:
    """Return which bytes came, or how many were asked for, in their order."""
    puts = [call for call in stand_in.called("storage.objects.insert") if call.http == "PUT"]
    return [call.headers["Content-Range"].split()[1] for call in puts]


def whole_span(first: int, size_bytes: int) -> List[str]:
    """Return the spans of the pieces from a byte on."""
    ends = range(first, size_bytes, CHUNK_BYTES)
    return [f"{start}-{min(start + CHUNK_BYTES, size_bytes) - 1}/{size_bytes}" for start in ends]


def test_it_goes_in_pieces(store: CloudStore, stand_in: StandIn, content: bytes, tmp_path: Path) -> None:
    lay(store, tmp_path)
    stored = store.read(NAME)
    assert stored and stored.content == content
    assert spans(stand_in) == whole_span(0, len(content))


@pytest.mark.parametrize("piece", [0, 1, 2])
@pytest.mark.parametrize("kind", ["reset", "lost", "unavailable"])
def test_after_a_cut_it_goes_on_where_the_server_is(
    store: CloudStore, stand_in: StandIn, content: bytes, tmp_path: Path, kind: Kind, piece: int
) -> None:
    stand_in.faults.add(Fault("storage.objects.insert", kind, skip=1 + piece))
    lay(store, tmp_path)
    stored = store.read(NAME)
    assert stored and stored.content == content
    size = len(content)
    arrived = kind == "lost"
    before = whole_span(0, size)[: piece + 1]
    after = whole_span((piece + arrived) * CHUNK_BYTES, size) if piece < 2 or not arrived else []
    assert spans(stand_in) == [*before, f"*/{size}", *after]


def test_an_upload_that_the_server_forgot_begins_anew(
    store: CloudStore, stand_in: StandIn, content: bytes, tmp_path: Path
) -> None:
    forward = stand_in.paths["upload/storage/v1/"]
    gone = [Refused(410, "Gone")]

    def forget(call: Call) -> object:
        if gone and "-" in call.headers.get("Content-Range", ""):
            raise gone.pop()
        return forward(call)

    stand_in.paths["upload/storage/v1/"] = forget
    lay(store, tmp_path)
    stored = store.read(NAME)
    assert stored and stored.content == content
    assert spans(stand_in) == [whole_span(0, len(content))[0], *whole_span(0, len(content))]


def test_another_writer_who_is_first_is_taken(
    store: CloudStore, stand_in: StandIn, environment: Environment, content: bytes, tmp_path: Path
) -> None:
    assert content
    forward = stand_in.paths["upload/storage/v1/"]
    others = [CloudStore(environment, "sentiment", Api("demo-project", "europe-west1", stand_in.variables()))]

    def overtake(call: Call) -> object:
        if others:
            lay(others.pop(), tmp_path)
        return forward(call)

    stand_in.paths["upload/storage/v1/"] = overtake
    lay(store, tmp_path)
    assert spans(stand_in) == whole_span(0, len(content))


def test_a_server_that_takes_nothing_is_told(
    store: CloudStore, stand_in: StandIn, content: bytes, tmp_path: Path
) -> None:
    forward = stand_in.paths["upload/storage/v1/"]
    stand_in.paths["upload/storage/v1/"] = lambda call: Raw(308, b"", {}) if call.http == "PUT" else forward(call)
    with pytest.raises(StateError) as caught:
        lay(store, tmp_path)
    assert str(caught.value) == (
        f"{store.uri}/{NAME}: cannot write: Cloud Storage answers: takes no more than 0 bytes of an upload\n"
        "Run the command again."
    )
