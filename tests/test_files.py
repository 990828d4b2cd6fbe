import os
from pathlib import Path

import pytest

from esteira.errors import StateError
from esteira.files import write_text


def test_a_file_is_replaced_whole_and_leaves_no_temporary(tmp_path: Path) -> None:
    path = tmp_path / "below" / "file"
    write_text(path, "old")
    write_text(path, "né")
    assert path.read_bytes() == "né".encode()
    assert os.listdir(path.parent) == ["file"]


def test_a_full_disk_is_named_with_its_place() -> None:
    with pytest.raises(StateError, match=r"cannot write: .*\nExpected a writable folder with free space\.|No space"):
        write_text(Path("/proc/no-such-folder/file"), "x")


def test_an_interrupted_write_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_text(path, "old")

    def interrupt(*names: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]
