from pathlib import Path
from typing import Callable

import pytest

from esteira.deploy import absolute_csv, check_build, deploy_full
from esteira.errors import BuildError, DataError, StateError
from esteira.local.builds.result import BuildResult, StepResult
from esteira.settings import Settings


def test_a_csv_is_named_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my data.csv").write_text("text,label\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert absolute_csv("my data.csv") == absolute_csv("~/my data.csv") == str(tmp_path / "my data.csv")
    assert absolute_csv(None) == ""


def test_a_missing_csv_is_told_before_anything_runs(tmp_path: Path) -> None:
    for name in ("none.csv", "~nobody$here.csv"):
        with pytest.raises(DataError) as caught:
            absolute_csv(name)
        assert str(caught.value).startswith(f"DATA={name}: no such file. Expected the path of a CSV")


def test_a_failed_build_is_told_with_its_step_and_log(tmp_path: Path) -> None:
    result = BuildResult("b-1", "failed", [StepResult("run", "failed", 1.0, tmp_path / "run.log", 9)])
    with pytest.raises(BuildError) as caught:
        check_build(result)
    assert caught.value.exit_code == 9
    assert str(caught.value).splitlines() == [
        "build b-1: failed.",
        f"Step run left with status 9. Its log: {tmp_path}/run.log",
        "Nothing was promoted: what was served before still is. Mend it and run: make deploy-full"
        "    Finished tasks are not run again.",
    ]


def test_a_cancelled_build_is_an_interruption() -> None:
    with pytest.raises(KeyboardInterrupt):
        check_build(BuildResult("b-1", "cancelled"))


def test_a_cloud_environment_is_refused_plainly(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    (tmp_path / "esteira.toml").write_text(
        "[environments.dev]\n"
        'project = "my-project"\nregion = "europe-west1"\nbucket = "models"\nrepository = "images"\n'
    )
    with pytest.raises(StateError, match="ENV=dev: this version deploys to the environment local only"):
        deploy_full(make_settings(tmp_path, env="dev"), None, {})
