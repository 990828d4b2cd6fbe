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
from tests.images.wheels.toys import lock_of, make_wheel, toy_environ, wheels_line

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


def test_a_program_of_the_environment_is_run(clone: Path) -> None:
    shown = run(clone, "--dev", "--program", "python", "-c", "import sys; print(sys.prefix)")
    assert shown.stdout == f"{clone}/.venv-dev\n", shown.stderr


def test_what_a_shell_sets_for_another_python_is_passed_over(clone: Path) -> None:
    """What is shown has marks, and a variable of make may hold bytes that are no UTF-8."""
    other = {"PYTHONIOENCODING": "ascii", "PYTHONHOME": str(clone), "LC_ALL": "C"}
    shown = run(clone, "-c", r"import sys; print('\u2713', sys.stdout.encoding, sys.stdout.errors)", **other)
    assert shown.stdout == "✓ utf-8 surrogateescape\n", shown.stderr


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


@pytest.fixture
def index(clone: Path) -> Path:
    """A folder that pip takes for an index, with the one wheel of the clone's lock."""
    shutil.copytree(REPOSITORY / "esteira", clone / "esteira", dirs_exist_ok=True)
    wheel = make_wheel(clone.parent / "index", "toyone")
    (clone / "requirements.lock").write_text(lock_of(wheel))
    (clone / "requirements.wheels").write_text(wheels_line(wheel))
    return wheel.parent


def toy_variables(clone: Path, index: Path) -> Dict[str, str]:
    """Variables for a cache of the test's own, with the pinned uv on the PATH, and for an index that is a folder."""
    script = 'say() { :; }; here=esteira/setup; . "$here/uv.sh"; find_uv; dirname "$UV"'
    uv = subprocess.check_output(["sh", "-euc", script], cwd=clone, encoding="utf-8").strip()
    return {**toy_environ(clone.parent, index), "PATH": f"{uv}:{os.environ['PATH']}"}


def test_the_environment_is_made_of_the_recorded_wheels_fetched_once(clone: Path, index: Path) -> None:
    variables = toy_variables(clone, index)
    first = run(clone, "-c", "import toyone; print(toyone.VALUE)", **variables)
    assert (first.returncode, first.stdout) == (0, "1\n"), first.stderr
    assert "Fetching 1 wheels" in first.stderr
    shutil.rmtree(index)
    with (clone / "requirements.wheels").open("a") as wheels:
        wheels.write("# changed\n")
    again = run(clone, "-c", "import toyone", **variables)
    assert again.returncode == 0, again.stderr
    assert again.stderr == "Set-up: making .venv from requirements.lock (once; a minute or so)\n"
    assert run(clone, "-c", "", **variables).stderr == ""


def test_wheels_that_are_not_the_locks_leave_nothing(clone: Path, index: Path) -> None:
    wheels = clone / "requirements.wheels"
    wheels.write_text(wheels.read_text().replace("==1.0", "==2.0"))
    failed = run(clone, "-c", "", **toy_variables(clone, index))
    assert failed.returncode == 18
    assert failed.stderr.splitlines()[1:] == [
        "requirements.wheels: is not made from requirements.lock:",
        "  requirements.wheels:1: toyone==2.0, and the lock has 1.0.",
        "Run: make lock",
    ]
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


@pytest.mark.parametrize(
    ("version", "reason"),
    [((3, 8, 2), "it is Python 3.8.2; expected 3.8.3 or newer"), ((3, 9, 1), "it is Python 3.9"), ((3, 8, 3), "")],
)
def test_a_python_that_writes_other_byte_code_is_refused(clone: Path, version: "tuple[int, ...]", reason: str) -> None:
    """A real interpreter that says it is another version."""
    path = fake_python(clone / "python", works=True)
    path.write_text(f'#!/bin/sh\nexec "{BASE_PYTHON}" "$1" "import sys; sys.version_info = {version}\n$2"\n')
    tried = find_python(clone, ESTEIRA_PYTHON=str(path))
    told = f"Set-up: ESTEIRA_PYTHON={path} is no working Python 3.8: {reason}" if reason else str(path)
    assert (tried.stderr if reason else tried.stdout).splitlines()[0] == told


def test_no_python_tells_what_was_tried_and_how_to_get_one(clone: Path) -> None:
    fake_python(clone / ".pyenv" / "versions" / "3.9.1" / "bin" / "python", works=False)
    none = find_python(clone)
    assert none.returncode == 1
    assert "on the PATH: python3.8" in none.stderr
    assert "a version of pyenv: " in none.stderr
    assert "uv's own: uv python install 3.8" in none.stderr
    assert "pyenv install 3.8.18" in none.stderr


def test_a_folder_that_cannot_be_written_is_told_with_what_to_name(clone: Path) -> None:
    refused = run(clone, "-c", "", ESTEIRA_VENV="requirements.lock/venv")
    assert refused.returncode == 1
    assert refused.stderr.endswith(
        "\nSet-up: the environment is to be made in requirements.lock, which cannot be written.\n"
        "Name another folder: make TARGET VENV=folder\n"
    )


def test_no_place_for_uv_is_told_with_what_to_name(clone: Path) -> None:
    (clone / ".tools").write_text("a file")
    refused = run(clone, "-c", "", XDG_CACHE_HOME="relative", PATH="/usr/bin:/bin")
    assert refused.returncode == 1
    assert re.search(
        r"\nExpected a folder for uv [0-9.]+\. Name one that can be written: XDG_CACHE_HOME=/path make \.\.\.\n$",
        refused.stderr,
    )
