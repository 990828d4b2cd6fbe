"""What make hooks sets up: the checks of make check, before each commit."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.make import VENV, make
from tests.repositories import run_git

pytestmark = [pytest.mark.programs, pytest.mark.slow]
PLANTED = "\n\nundefined_here()\n"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone of what is committed."""
    root = tmp_path_factory.mktemp("clones") / "a clone"
    run_git(REPOSITORY, "clone", "--quiet", str(REPOSITORY), str(root))
    run_git(root, "config", "user.name", "T")
    run_git(root, "config", "user.email", "t@example.test")
    return root


def run(root: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, "ESTEIRA_VENV": str(VENV), "PRE_COMMIT_HOME": str(root.parent / "pre-commit")}
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, encoding="utf-8", timeout=600)


def test_all_hooks_pass_in_a_fresh_clone(clone: Path) -> None:
    ran = run(clone, f"{VENV}-dev/bin/pre-commit", "run", "--all-files", "--color=never")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [line.rpartition(".")[2] for line in ran.stdout.splitlines()] == ["Passed"] * 3


def test_a_commit_with_a_fault_is_refused_and_told(clone: Path) -> None:
    hooked = make(clone, "hooks")
    assert "pre-commit installed at .git/hooks/pre-commit" in hooked.stdout, hooked.stderr
    before = run_git(clone, "rev-parse", "HEAD")
    path = clone / "esteira" / "locks.py"
    path.write_text(path.read_text() + PLANTED)
    refused = run(clone, "git", "commit", "--all", "--message", "planted")
    assert refused.returncode == 1
    assert "F821" in refused.stderr and "esteira/locks.py" in refused.stderr
    assert run_git(clone, "rev-parse", "HEAD") == before
