import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from esteira.builds.render import render_build
from esteira.builds.substitutions import substitute
from esteira.deploy.run import check_build, substitutions_here
from esteira.errors import BuildError
from esteira.local.builds.plan import read_build
from esteira.local.builds.result import BuildResult, StepResult
from esteira.settings import Settings
from tests.deploy.test_submission import ORDER


def test_a_failed_build_is_told_with_its_step_and_log(tmp_path: Path) -> None:
    result = BuildResult("b-1", "failed", [StepResult("run", "failed", 1.0, tmp_path / "run.log", 9)])
    with pytest.raises(BuildError) as caught:
        check_build(result)
    assert caught.value.exit_code == 9
    assert str(caught.value).splitlines() == [
        "build b-1: failed.",
        f"Step run left with status 9. Its log: {tmp_path}/run.log",
        "Nothing was promoted: what was served before still is. Mend it and run: make deploy"
        "    Finished tasks are not run again.",
    ]


def test_a_cancelled_build_is_an_interruption() -> None:
    with pytest.raises(KeyboardInterrupt):
        check_build(BuildResult("b-1", "cancelled"))


@pytest.mark.parametrize("kind", ["full", "partial"])
def test_steps_here_keep_the_users_home(settings: Settings, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/u")
    text, given = render_build(f"{kind}.yaml.j2", settings), substitutions_here(settings, ORDER, {})
    _, *steps = read_build(text, kind, given, {"BUILD_ID": "b-1", "PROJECT_ID": "local"}).steps
    assert {step.variables["HOME"] for step in steps} == {"/home/u"}


@pytest.mark.programs
def test_the_source_of_a_build_here_stays_its_users_own(tmp_path: Path, settings: Settings) -> None:
    """On a machine of many users nobody else may write into what is deployed."""
    (first, *_) = yaml.safe_load(render_build("partial.yaml.j2", settings))["steps"]
    given = substitutions_here(settings, ORDER, {})
    (tmp_path / "model.py").write_text("")
    (tmp_path / "model.py").chmod(0o600)
    subprocess.run(
        [first["entrypoint"], *(substitute(argument, given) for argument in first["args"])], cwd=tmp_path, check=True
    )
    assert stat.S_IMODE((tmp_path / "model.py").stat().st_mode) == 0o600
