"""The environment of requirements-thin.lock is a part of the other one. tests/workflows deploys with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.setup.thin import locked, refused, thin_guard


def test_its_versions_are_those_of_the_other_lock() -> None:
    thin = locked("requirements-thin.lock")
    assert thin.items() <= locked("requirements.lock").items()
    assert len(thin) < 40


def test_what_is_heavy_is_not_in_it() -> None:
    assert {"tensorflow", "tfx", "apache_beam", "google.cloud", "duckdb", "pyarrow"} <= refused()


@pytest.mark.programs
def test_a_plan_needs_no_more(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(thin_guard(tmp_path / "guard"))}
    command = [sys.executable, "-m", "invoke", "plan"]
    environ.update(ESTEIRA_BASE="HEAD", ESTEIRA_STATE=str(tmp_path / "state"), ESTEIRA_FORMAT="word")
    done = subprocess.run(command, cwd=REPOSITORY, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
