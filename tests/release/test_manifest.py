import json

import pytest
from pydantic import ValidationError

from esteira.errors import StateError
from esteira.release.manifest import Outcome, Part, Release, identified, read_release, write_release

DIGEST = "sha256:" + "1" * 64
RELEASE = Release(
    id="",
    pipeline="sentiment",
    commit="c" * 40,
    dirty=False,
    kind="full",
    parts={"data": Part(digest=DIGEST, content=DIGEST, uri="/bucket/data"), "image": Part(digest=DIGEST)},
    reason="data changed",
    by="ana@laptop",
    at="2026-11-22T21:30:41Z",
)
OUTCOME = Outcome(run="r1", at="2026-11-22T21:40:00Z", blessed=True, evaluation={"metrics": {}}, model="/serving/1")


def id_with(**changes: object) -> str:
    return identified(RELEASE.copy(update=changes)).id


def parts_with(**changes: object) -> "dict[str, Part]":
    return {**RELEASE.parts, "data": RELEASE.parts["data"].copy(update=changes)}


def test_the_id_follows_from_what_a_release_is_made_of() -> None:
    ids = {
        id_with(),
        id_with(commit="d" * 40),
        id_with(dirty=True),
        id_with(kind="partial"),
        id_with(parent="a" * 12),
        id_with(restores="a" * 12),
        id_with(pipeline="other"),
        id_with(parts=parts_with(digest="sha256:" + "2" * 64)),
        id_with(parts=parts_with(content="sha256:" + "2" * 64)),
        id_with(parts={"data": RELEASE.parts["data"]}),
    }
    assert len(ids) == 10
    assert all(len(release) == 12 for release in ids)


def test_the_id_does_not_follow_from_where_when_why_and_what_came_of_it() -> None:
    ids = {
        id_with(),
        id_with(parts=parts_with(uri="gs://elsewhere/data")),
        id_with(at="2031-01-01T00:00:00Z", by="bob@server", reason="forced"),
        id_with(outcome=OUTCOME),
        id_with(id="a" * 12),
        id_with(parts=dict(reversed(list(RELEASE.parts.items())))),
    }
    assert len(ids) == 1


def test_a_release_survives_its_bytes_with_and_without_an_outcome() -> None:
    for release in (RELEASE, RELEASE.copy(update={"outcome": OUTCOME})):
        assert read_release(write_release(release), "here") == release


def test_a_manifest_is_for_people_and_diffs() -> None:
    text = write_release(RELEASE.copy(update={"reason": "café"})).decode()
    assert '\n  "reason": "café",\n' in text
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_the_origin_is_what_a_rollback_brought_back() -> None:
    assert RELEASE.copy(update={"id": "a"}).origin == "a"
    assert RELEASE.copy(update={"id": "a", "restores": "b"}).origin == "b"


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"null", b"\xff", b'{"version": 2}', write_release(RELEASE).replace(b'"by"', b'"bye"')],
)
def test_what_is_no_manifest_is_named_with_its_place(content: bytes) -> None:
    said = r"^gs://b/release.json: is no release that this version can read: (?s:.*)release: gcloud storage rm gs:"
    with pytest.raises(StateError, match=said):
        read_release(content, "gs://b/release.json")


def test_a_manifest_is_never_changed_in_place() -> None:
    with pytest.raises((TypeError, ValidationError), match="immutable"):
        RELEASE.kind = "partial"  # type: ignore[misc]
