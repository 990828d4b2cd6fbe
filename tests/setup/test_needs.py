"""What make doctor tells where the environment cannot be made."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.programs


def needs(root: Path, status: int, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "esteira/setup/needs.sh", str(status)],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", "HOME": str(root), "PIP_NO_INDEX": "1", **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    root = tmp_path / "a clone"
    shutil.copytree(REPOSITORY / "esteira" / "setup", root / "esteira" / "setup")
    shutil.copy(REPOSITORY / "requirements.lock", root)
    return root


def test_what_the_set_up_lacks_is_told_with_what_mends_it(clone: Path) -> None:
    told = needs(clone, 3, ESTEIRA_PYTHON="/nowhere/python")
    assert told.returncode == 3
    lines = [" ".join(line.split()) for line in told.stderr.splitlines()]
    assert lines[:2] == ["", "There is no environment yet. What its set-up needs:"]
    assert lines[-1] == "Mend what is marked ✗, then run: make doctor"
    assert "✗ Python no working 3.8, from 3.8.3 on Run: pyenv install 3.8.18 or: uv python install 3.8" in lines
    assert "✓ folder . can be written" in lines
    assert [line.split()[1] for line in lines[2:-1]] == ["system", "uv", "Python", "package", "folder", "disk", "git"]


def test_where_there_is_an_environment_the_status_alone_is_left(clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to("/bin/true")
    shutil.copy(clone / "requirements.lock", clone / ".venv")
    told = needs(clone, 12)
    assert (told.returncode, told.stdout, told.stderr) == (12, "", "")
