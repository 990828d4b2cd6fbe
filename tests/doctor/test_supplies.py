"""What make doctor finds of what is fetched."""

import shutil
from pathlib import Path
from typing import Callable

import pytest

from esteira.doctor.finding import Finding
from esteira.doctor.supplies import check_data, check_environment, check_index, check_wheels
from esteira.settings import Settings
from tests.conftest import REPOSITORY


def test_an_environment_of_another_lock_is_told(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    for name in ("requirements.lock", "requirements.wheels"):
        shutil.copy(REPOSITORY / name, tmp_path)
        shutil.copy(REPOSITORY / name, tmp_path / ".venv")
    assert list(check_environment(tmp_path, {})) == [Finding("environment", True, "is that of requirements.lock")]
    (tmp_path / "requirements.lock").write_text("")
    assert list(check_environment(tmp_path, {})) == [
        Finding("environment", None, "is not that of requirements.lock", "Run: make setup    Every target does so, too")
    ]


def test_what_is_not_fetched_yet_is_told_and_no_fault(settings: Settings, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    (wheels,) = check_wheels(settings, environ)
    assert wheels.good is None
    assert wheels.said.endswith(" are to be fetched or built")
    assert list(check_data(settings, environ)) == [
        Finding("data", None, "the default set is to be fetched", "The next deploy does so. Run: make data")
    ]


def test_data_of_ones_own_is_looked_for(make_settings: Callable[..., Settings]) -> None:
    assert list(check_data(make_settings(data__file="smoke.csv"), {})) == [Finding("data", True, "smoke.csv is here")]


@pytest.mark.programs
def test_an_index_that_does_not_answer_is_a_fault_where_something_is_to_be_fetched(
    settings: Settings, tmp_path: Path
) -> None:
    (found,) = check_index(settings, {"PIP_NO_INDEX": "1", "HOME": str(tmp_path)})
    assert found[:3] == ("package index", False, "pip gets no answer from it")
