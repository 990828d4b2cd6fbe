"""What the Trainer is told: another encoder must never be taken for the same one, here or from the cache."""

import shutil
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from esteira.errors import CompileError
from esteira.settings import Settings
from pipeline.training_config import create_training_config

MakeSettings = Callable[..., Settings]


def write_encoder(folder: Path, weights: bytes = b"1234") -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(weights)
    return folder


def config_of(make_settings: MakeSettings, module: object) -> Dict[str, Any]:
    settings = make_settings(training__encoder="hub", training__hub_module=str(module))
    return create_training_config(settings.training)


def test_the_digest_of_a_local_encoder_follows_its_files(make_settings: MakeSettings, tmp_path: Path) -> None:
    one, same = write_encoder(tmp_path / "one"), write_encoder(tmp_path / "same")
    before = config_of(make_settings, one)
    assert before["hub_digest"].startswith("sha256:")
    assert config_of(make_settings, same)["hub_digest"] == before["hub_digest"]
    shutil.rmtree(one)
    write_encoder(one, weights=b"4321")
    after = config_of(make_settings, one)
    assert after["hub_digest"] != before["hub_digest"]
    assert {**after, "hub_digest": ""} == {**before, "hub_digest": ""}


def test_what_is_no_local_encoder_has_no_digest(make_settings: MakeSettings, tmp_path: Path) -> None:
    assert "hub_digest" not in config_of(make_settings, "https://tfhub.dev/google/use/4")
    unused = make_settings(training__hub_module=str(tmp_path / "absent")).training
    assert create_training_config(unused) == unused.dict()


def test_a_missing_encoder_is_told_when_the_job_is_compiled(make_settings: MakeSettings, tmp_path: Path) -> None:
    with pytest.raises(CompileError) as caught:
        config_of(make_settings, tmp_path / "absent")
    assert str(caught.value) == (
        f"training.hub_module: {tmp_path}/absent: no such folder.\n"
        "Expected the folder of a SavedModel that takes a batch of strings and returns vectors, or a URL."
    )
