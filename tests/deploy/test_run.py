from pathlib import Path

import pytest

from esteira.deploy.run import check_build
from esteira.errors import BuildError
from esteira.local.builds.result import BuildResult, StepResult


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
