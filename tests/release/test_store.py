import os
from pathlib import Path

import pytest

from esteira.errors import StateError
from esteira.release.store import EPOCH_S, lay_down


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.csv"
    path.write_text("a,b\n")
    return path


def test_files_get_equal_modes_and_times(tmp_path: Path, source: Path) -> None:
    source.chmod(0o600)
    lay_down(tmp_path / "bucket" / "part", [("below/file.csv", source)])
    laid = tmp_path / "bucket" / "part" / "below" / "file.csv"
    assert laid.read_text() == "a,b\n"
    assert (laid.stat().st_mtime, laid.stat().st_mode & 0o777) == (EPOCH_S, 0o644)


def test_what_lies_there_is_never_changed(tmp_path: Path, source: Path) -> None:
    lay_down(tmp_path / "part", [("file", source)])
    source.write_text("other")
    lay_down(tmp_path / "part", [("file", source)])
    assert (tmp_path / "part" / "file").read_text() == "a,b\n"


def test_a_failure_leaves_nothing(tmp_path: Path, source: Path) -> None:
    bucket = tmp_path / "bucket"
    with pytest.raises(StateError, match="cannot write: No such file"):
        lay_down(bucket / "part", [("one", source), ("two", tmp_path / "missing")])
    assert os.listdir(bucket) == []


def test_a_deploy_that_was_second_leaves_the_first_ones_part(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: os.path.lexists(path) and path.name != "part")
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "file").write_text("first")
    monkeypatch.setattr("esteira.release.store.rename_once", lambda old, new: None)
    lay_down(tmp_path / "part", [("file", source)])
    assert (tmp_path / "part" / "file").read_text() == "first"
    assert sorted(os.listdir(tmp_path)) == ["part", "source.csv"]
