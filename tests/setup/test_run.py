"""The set-up scripts, with the real uv and a lock of one small package."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.programs
BASE_PYTHON = os.path.realpath(sys.executable)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in a folder with a space, whose locks hold one package each."""
    root = tmp_path / "a clone"
    shutil.copytree(REPOSITORY / "esteira" / "setup", root / "esteira" / "setup")
    lock = (REPOSITORY / "requirements-dev.lock").read_text()
    (root / "requirements.lock").write_text(entry(lock, "iniconfig"))
    (root / "requirements-dev.lock").write_text(entry(lock, "pluggy"))
    return root


def entry(lock: str, package: str) -> str:
    found = re.search(rf"^{package}==.*(\n    --hash=.*)+\n", lock, re.MULTILINE)
    assert found
    return found.group()


def environ(**variables: str) -> Dict[str, str]:
    return {**os.environ, "ESTEIRA_PYTHON": BASE_PYTHON, **variables}


def run(root: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "esteira/setup/run.sh", *arguments],
        cwd=root,
        env=environ(**variables),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def test_the_environment_is_made_once_and_made_again_for_another_lock(clone: Path) -> None:
    first = run(clone, "-c", "import iniconfig, sys; print(sys.version_info[:2])")
    assert (first.returncode, first.stdout) == (0, "(3, 8)\n"), first.stderr
    assert "Set-up: making .venv from requirements.lock" in first.stderr
    assert run(clone, "-c", "").stderr == ""
    shutil.copy(clone / "requirements-dev.lock", clone / "requirements.lock")
    again = run(clone, "-c", "import pluggy, importlib.util; print(importlib.util.find_spec('iniconfig'))")
    assert (again.returncode, again.stdout) == (0, "None\n"), again.stderr


def test_the_layer_sees_the_runtime_and_the_runtime_does_not_see_the_layer(clone: Path) -> None:
    layered = run(clone, "--dev", "-c", "import iniconfig, pluggy")
    assert layered.returncode == 0, layered.stderr
    assert run(clone, "-c", "import pluggy").returncode == 1
    assert (clone / ".venv" / "bin" / "python").exists()


def test_a_killed_set_up_is_begun_again(clone: Path) -> None:
    process = subprocess.Popen(
        ["sh", "esteira/setup/run.sh", "-c", ""], cwd=clone, env=environ(), start_new_session=True
    )
    while not (clone / ".venv.new").exists() and process.poll() is None:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    again = run(clone, "-c", "import iniconfig")
    assert again.returncode == 0, again.stderr
    assert sorted(path.name for path in clone.glob(".venv*")) == [".venv"]


def test_a_lock_that_does_not_match_its_hashes_leaves_nothing(clone: Path) -> None:
    lock = (clone / "requirements.lock").read_text()
    (clone / "requirements.lock").write_text(re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", lock))
    failed = run(clone, "-c", "")
    assert failed.returncode != 0
    assert "hash" in failed.stderr.lower()
    assert not list(clone.glob(".venv*"))


def find_python(clone: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    script = 'say() { printf "%s\\n" "$*" >&2; }; UV=false; . esteira/setup/python.sh; find_python; echo "$PYTHON"'
    return subprocess.run(
        ["sh", "-euc", script],
        cwd=clone,
        env={"PATH": "/usr/bin:/bin", "HOME": str(clone), **variables},
        capture_output=True,
        encoding="utf-8",
    )


def fake_python(path: Path, works: bool) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    command = f'exec "{BASE_PYTHON}" "$@"' if works else "echo broken shim >&2; exit 127"
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return path


def test_a_shim_that_fails_is_passed_over_for_a_pyenv_version(clone: Path) -> None:
    fake_python(clone / "shims" / "python3.8", works=False)
    fake_python(clone / ".pyenv" / "versions" / "3.6.15" / "bin" / "python", works=False)
    working = fake_python(clone / ".pyenv" / "versions" / "3.8.18" / "bin" / "python", works=True)
    found = find_python(clone, PATH=f"{clone}/shims:/usr/bin:/bin")
    assert (found.returncode, found.stdout.strip()) == (0, str(working)), found.stderr


def test_the_python_that_was_named_is_used_or_refused(clone: Path) -> None:
    good = fake_python(clone / "good", works=True)
    assert find_python(clone, ESTEIRA_PYTHON=str(good)).stdout.strip() == str(good)
    bad = fake_python(clone / "bad", works=False)
    refused = find_python(clone, ESTEIRA_PYTHON=str(bad))
    assert refused.returncode == 1
    assert f"ESTEIRA_PYTHON={bad} is no working Python 3.8: broken shim" in refused.stderr


def test_no_python_tells_what_was_tried_and_how_to_get_one(clone: Path) -> None:
    fake_python(clone / ".pyenv" / "versions" / "3.9.1" / "bin" / "python", works=False)
    none = find_python(clone)
    assert none.returncode == 1
    assert "on the PATH: python3.8" in none.stderr
    assert "a version of pyenv: " in none.stderr
    assert "uv's own: uv python install 3.8" in none.stderr
    assert "pyenv install 3.8.18" in none.stderr
