"""Folders that several processes make, look at and remove at the same time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from esteira.locks import is_locked, take_folder
from tests.conftest import REPOSITORY

TIMES = 1500
SCRATCH = f"""
from pathlib import Path
from esteira.cache import scratch_in

for _ in range({TIMES}):
    with scratch_in(Path("cache")) as made:
        (made / "file").write_bytes(b"")
"""
AS_ANOTHER_USER = """
import os
from pathlib import Path
from esteira.cache import scratch_in
from esteira.locks import is_locked

if os.geteuid() == 0:
    os.setuid(65534)
print(is_locked(Path("cache", "scratch", "private")))
with scratch_in(Path("cache")):
    pass
"""


def start(code: str, folder: Path) -> "subprocess.Popen[str]":
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_folder_is_locked_while_it_is_held(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    handle = take_folder(tmp_path)
    assert is_locked(tmp_path)
    os.close(handle)
    assert not is_locked(tmp_path)


def test_a_folder_that_has_just_been_removed_is_held_by_nobody(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "removed")


@pytest.mark.programs
def test_two_processes_make_and_remove_folders_in_one_place(tmp_path: Path) -> None:
    processes = [start(SCRATCH, tmp_path) for _ in range(2)]
    assert [(process.communicate()[0], process.returncode) for process in processes] == [("", 0), ("", 0)]
    assert list((tmp_path / "cache" / "scratch").iterdir()) == []


@pytest.mark.programs
def test_a_private_folder_of_another_user_is_left_alone(tmp_path: Path) -> None:
    scratch = tmp_path / "cache" / "scratch"
    private = scratch / "private"
    private.mkdir(parents=True)
    # Whoever the other process is, it can go into the folders above, and into this one only as root.
    for folder, mode in ((tmp_path, 0o755), (scratch, 0o777), (private, 0o000)):
        folder.chmod(mode)
    try:
        process = start(AS_ANOTHER_USER, tmp_path)
        said = process.communicate()[0].splitlines()
        assert (said[:1], process.returncode, private.is_dir()) == (["True"], 0, True), said
    finally:
        private.chmod(0o700)
