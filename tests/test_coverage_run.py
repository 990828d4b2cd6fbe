"""What make coverage counts: lines of processes that tests start, also of those that end without a word."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.coverage_run import by_folder, markdown, share

CHILD = """\
import os

def forked():
    if os.fork() == 0:
        in_child = 1
        os._exit(0)
    os.wait()

def never():
    return 1
"""
TEST = """\
import subprocess, sys

def test_it():
    subprocess.run([sys.executable, "-c", "from esteira.part.child import forked; forked()"], check=True)
"""


@pytest.mark.programs
def test_lines_of_a_program_and_of_its_forks_are_counted(tmp_path: Path) -> None:
    for name, text in {"esteira/__init__.py": "", "esteira/part/child.py": CHILD, "test_it.py": TEST}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "tests").mkdir()
    shutil.copy(REPOSITORY / "tests" / "coverage_run.py", tmp_path / "tests")
    command = [sys.executable, "-m", "tests.coverage_run", "-q", "-p", "no:cacheprovider", "test_it.py"]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ran = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, encoding="utf-8", timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "build" / "coverage.md").read_text() in ran.stdout
    files = json.loads((tmp_path / "build" / "coverage.json").read_text())["files"]
    assert files["esteira/part/child.py"]["missing_lines"] == [10]


def test_folders_are_summed_up_and_no_share_is_rounded_up_to_all() -> None:
    files = {"esteira/git.py": (1, 2), "esteira/cloud/a/b.py": (1, 1), "esteira/cloud/c.py": (1998, 1999)}
    folders = by_folder(files)
    assert folders == {"esteira": (1, 2), "esteira/cloud": (1999, 2000)}
    assert markdown(folders) == (
        "### Coverage: 99.9 % of the engine's 2002 lines\n\n"
        "| folder | run by the tests | lines |\n| --- | ---: | ---: |\n"
        "| `esteira` | 50.0 % | 2 |\n| `esteira/cloud` | 99.9 % | 2000 |\n"
    )
    assert share(2, 2) == "100.0 %"
