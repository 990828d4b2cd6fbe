"""The locks, with the real uv and requirements of one small package each."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.programs


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    root = tmp_path / "a clone"
    shutil.copytree(REPOSITORY / "esteira" / "setup", root / "esteira" / "setup")
    (root / "requirements.in").write_text("pluggy<1.5\n")
    (root / "requirements-dev.in").write_text("-c requirements.lock\niniconfig\n")
    assert lock(root).returncode == 0
    return root


def lock(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "esteira/setup/lock.sh", *arguments],
        cwd=root,
        env={**os.environ, "ESTEIRA_PYTHON": os.path.realpath(sys.executable)},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def test_a_lock_holds_exact_versions_hashes_and_no_index(clone: Path) -> None:
    content = (clone / "requirements.lock").read_text()
    assert "pluggy==1.4.0 \\\n    --hash=sha256:" in content
    assert "make lock" in content
    assert "://" not in content and str(clone) not in content


def test_a_fresh_lock_passes_and_is_not_touched(clone: Path) -> None:
    before = (clone / "requirements.lock").stat().st_mtime_ns
    checked, locked = lock(clone, "--check"), lock(clone)
    assert (checked.returncode, locked.returncode) == (0, 0), checked.stderr
    assert "The locks are up to date." in locked.stderr
    assert (clone / "requirements.lock").stat().st_mtime_ns == before


def test_a_stale_lock_is_told_with_what_differs(clone: Path) -> None:
    (clone / "requirements.in").write_text("pluggy<1.4\n")
    checked = lock(clone, "--check")
    assert checked.returncode == 1
    assert checked.stderr.splitlines() == [
        "requirements.lock: is not what requirements.in gives:",
        "-pluggy==1.4.0 \\",
        "+pluggy==1.3.0 \\",
        "Expected each to be made from that. Run: make lock",
    ]


def test_the_wheels_of_the_lock_are_named_and_checked(clone: Path) -> None:
    shutil.copytree(REPOSITORY / "esteira", clone / "esteira", dirs_exist_ok=True)
    (clone / "docker").mkdir()
    (clone / "docker" / "build.in").write_text("-c ../requirements.lock\npluggy\n")
    locked = lock(clone)
    assert locked.returncode == 0, locked.stderr
    assert locked.stderr.splitlines() == ["wrote docker/build.lock", "wrote requirements.wheels"]
    wheels = clone / "requirements.wheels"
    named = wheels.read_text()
    assert "pluggy==1.4.0 --hash=sha256:" in named and "  # pluggy-1.4.0-py3-none-any.whl, 20120 bytes\n" in named
    checked = lock(clone, "--check")
    assert (checked.returncode, checked.stderr) == (0, "")
    wheels.write_text(named.replace("pluggy==1.4.0", "pluggy==1.3.0"))
    stale = lock(clone, "--check")
    assert stale.returncode == 1
    assert stale.stderr.splitlines()[0] == "requirements.wheels: is not what requirements.lock gives:"
    assert stale.stderr.splitlines()[-1] == "Expected each to be made from that. Run: make lock"


def test_requirements_that_do_not_fit_change_nothing(clone: Path) -> None:
    before = (clone / "requirements.lock").read_text()
    (clone / "requirements.in").write_text("pluggy<1.4\npluggy>1.4\n")
    failed = lock(clone)
    assert failed.returncode != 0
    assert "pluggy" in failed.stderr
    assert (clone / "requirements.lock").read_text() == before
