from pathlib import Path

import pytest

from esteira.errors import StateError
from esteira.local.jobs.leftovers import hold_run, no_run_begins, running_runs


def test_the_runs_that_are_held_are_running(tmp_path: Path) -> None:
    with hold_run(tmp_path / "runs", "one"), hold_run(tmp_path / "runs", "two"):
        (tmp_path / "runs" / "dead").mkdir()
        (tmp_path / "runs" / "dead" / "run.lock").touch()
        (tmp_path / "runs" / "never").mkdir()
        with no_run_begins(tmp_path / "runs"):
            assert running_runs(tmp_path / "runs") == ["one", "two"]
    with no_run_begins(tmp_path / "runs"):
        assert running_runs(tmp_path / "runs") == []


def test_a_run_is_held_once(tmp_path: Path) -> None:
    told = pytest.raises(StateError, match="^run one: is running in another process")
    with hold_run(tmp_path, "one"), told, hold_run(tmp_path, "one"):
        raise AssertionError
    with hold_run(tmp_path, "one"):
        pass
