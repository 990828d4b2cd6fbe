from pathlib import Path
from typing import Callable

import pytest

from esteira.errors import StateError
from esteira.local.clean import clean_state
from esteira.settings import Settings


def test_only_what_esteira_made_is_removed(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(tmp_path / "root")
    for folder in ("bucket/sentiment", "logs", "builds"):
        (settings.state / folder).mkdir(parents=True)
    for name in ("metadata.sqlite", "metadata.sqlite-wal", "thesis.tex"):
        (settings.state / name).write_text("")
    removed = {path.name for path in clean_state(settings)}
    assert removed == {"bucket", "logs", "builds", "metadata.sqlite", "metadata.sqlite-wal"}
    assert [path.name for path in settings.state.iterdir()] == ["thesis.tex"]


def test_an_empty_state_folder_goes_too(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(tmp_path / "root")
    (settings.state / "logs").mkdir(parents=True)
    clean_state(settings)
    assert not settings.state.exists()
    assert clean_state(settings) == []


def test_a_cloud_environment_has_nothing_here(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    (tmp_path / "esteira.toml").write_text(
        "[environments.dev]\n"
        'project = "my-project"\nregion = "europe-west1"\nbucket = "models"\nrepository = "images"\n'
    )
    with pytest.raises(StateError):
        clean_state(make_settings(tmp_path, env="dev"))
