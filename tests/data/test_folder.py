"""Folders that appear whole or not at all."""

import os
from pathlib import Path

import pytest

from esteira.data.folder import new_folder
from esteira.errors import StateError


def write(out: Path, name: str) -> None:
    with new_folder(out) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / name).write_text(name)


def test_takes_the_place_of_what_stood_there(tmp_path: Path) -> None:
    write(tmp_path / "out", "old")
    write(tmp_path / "out", "new")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["new", "out", "sub"]


def test_gives_fixed_modes_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write(tmp_path / "out", "file")
    finally:
        os.umask(before)
    modes = [oct(path.stat().st_mode & 0o777) for path in sorted((tmp_path / "out").rglob("*"))]
    assert modes == ["0o755", "0o644"]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_leaves_what_stood_there_and_nothing_else_on_an_interrupt(tmp_path: Path, error: type) -> None:
    write(tmp_path / "out", "old")
    with pytest.raises(error), new_folder(tmp_path / "out") as folder:
        (folder / "half").write_text("half")
        raise error
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["old", "out", "sub"]


def test_a_file_in_the_way_is_a_state_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(StateError, match="is a file"):
        write(tmp_path / "out", "new")
    assert (tmp_path / "out").read_text() == "mine"
