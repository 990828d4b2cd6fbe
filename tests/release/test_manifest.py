from pathlib import Path

import pytest

from esteira.errors import StateError
from esteira.release.manifest import (
    MANIFEST,
    Outcome,
    current_outcome,
    make_release,
    promote,
    read_release,
    write_model,
)
from esteira.release.parts import Part
from esteira.settings import Settings

PARTS = {"data": Part(digest="sha256:1", uri="/somewhere"), "job": Part(digest="sha256:2")}
OUTCOME = Outcome(
    release="abc", run="abc-1", blessed=True, evaluation={"metrics": {}}, model="/m/1", logs="/l"
)


def test_the_id_follows_from_commit_and_digests_and_not_from_places(settings: Settings) -> None:
    release = make_release(settings, "c1", PARTS)
    moved = {**PARTS, "data": Part(digest="sha256:1", uri="/elsewhere")}
    assert make_release(settings, "c1", moved).id == release.id
    assert make_release(settings, "c2", PARTS).id != release.id
    assert make_release(settings, "c1", {**PARTS, "job": Part(digest="sha256:3")}).id != release.id


def test_a_release_survives_its_file(settings: Settings, tmp_path: Path) -> None:
    release = make_release(settings, "c1-dirty", PARTS)
    write_model(tmp_path / MANIFEST, release)
    assert read_release(tmp_path / MANIFEST) == release


def test_promoting_moves_current(settings: Settings) -> None:
    with pytest.raises(StateError, match=r"local: nothing is deployed yet\. Run: make deploy-full"):
        current_outcome(settings)
    promote(settings, OUTCOME)
    assert current_outcome(settings) == OUTCOME
    promote(settings, OUTCOME.copy(update={"release": "def"}))
    assert current_outcome(settings).release == "def"


def test_an_outcome_of_another_version_is_named(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"id": "abc", "verdict": "good"}')
    with pytest.raises(StateError, match="is not what this version writes: (?s:.*)Remove it and run: "):
        read_release(tmp_path / MANIFEST)


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(StateError, match=r"release\.json: is not JSON: .* Remove it and run: .venv/bin/inv release"):
        read_release(tmp_path / MANIFEST)
