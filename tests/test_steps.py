import json
from pathlib import Path
from typing import Callable

import pytest

from esteira.errors import NotBlessedError, StateError
from esteira.release.manifest import MANIFEST, OUTCOME, Outcome, current_release_id, make_release, write_model
from esteira.settings import Settings
from esteira.steps import build_folder, promote_step

THRESHOLD = {"metric": "macro_f1", "kind": "value", "value": 0.3, "bound": 0.4, "baseline": None, "passed": False}


@pytest.fixture
def settings(tmp_path: Path, make_settings: Callable[..., Settings]) -> Settings:
    return make_settings(tmp_path / "root")


def finish_run(settings: Settings, *, blessed: bool, release_id: str = "") -> str:
    """Leave behind what `inv release` and `inv run` leave, and return the release's id."""
    release = make_release(settings, "c1", {})
    outcome = Outcome(
        release=release_id or release.id,
        run="r-1",
        blessed=blessed,
        evaluation={"blessed": blessed, "metrics": {}, "thresholds": [] if blessed else [THRESHOLD]},
        model="/models/1" if blessed else "",
        logs="/logs",
    )
    write_model(build_folder(settings) / "release" / MANIFEST, release)
    write_model(build_folder(settings) / OUTCOME, outcome)
    return release.id


def test_a_blessed_model_becomes_current(settings: Settings) -> None:
    release_id = finish_run(settings, blessed=True)
    promote_step(settings)
    assert current_release_id(settings) == release_id
    kept = settings.folder / "releases" / release_id / OUTCOME
    assert json.loads(kept.read_text())["model"] == "/models/1"


def test_a_model_that_is_not_blessed_never_becomes_current(settings: Settings) -> None:
    finish_run(settings, blessed=False)
    with pytest.raises(NotBlessedError, match="macro_f1 is 0.300, expected ≥ 0.400"):
        promote_step(settings)
    assert current_release_id(settings) is None


def test_an_older_run_does_not_stand_for_a_new_release(settings: Settings) -> None:
    finish_run(settings, blessed=True, release_id="older")
    with pytest.raises(StateError, match="is of release older, but the last one is"):
        promote_step(settings)
    assert current_release_id(settings) is None
