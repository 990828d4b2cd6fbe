"""What is shown in colours, and what is written over, as the terminal and its variables have it."""

import os
import re
import subprocess
from typing import Dict, List

import pytest

from tests.conftest import REPOSITORY
from tests.make import VENV
from tests.terminal import OURS, on_a_terminal

pytestmark = pytest.mark.programs
PROGRAM = """
from esteira.progress import Progress
from tasks import console
with Progress(["train"], console()) as progress:
    progress.started("train")
    progress.finished("train", "succeeded")
"""
COMMAND = [str(VENV / "bin" / "python"), "-c", PROGRAM]
GREEN = "\x1b[32m"
# What moves the cursor or erases (https://ecma-international.org/publications-and-standards/standards/ecma-48/).
MOVES = re.compile(r"\x1b\[[0-9;?]*[A-HJKhl]")


def kinds(shown: str) -> List[str]:
    """Return whether colours were used, and whether lines were written over."""
    return [*(["colours"] if GREEN in shown else []), *(["moves"] if MOVES.search(shown) else [])]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"TERM": "xterm-256color"}, ["colours", "moves"]),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, ["moves"]),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, ["colours", "moves"]),
        ({"TERM": "dumb"}, []),
        ({"TERM": "unknown"}, []),
    ],
)
def test_on_a_terminal(variables: Dict[str, str], expected: List[str]) -> None:
    shown = on_a_terminal(COMMAND, REPOSITORY, {**variables, "PYTHONUTF8": "1"})
    assert "✓ train: succeeded" in shown
    assert kinds(shown) == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"TERM": "xterm-256color"}, []),
        ({"TERM": "dumb", "CI": "true", "GITHUB_ACTIONS": "true"}, []),
        ({"TERM": "xterm-256color", "FORCE_COLOR": "1"}, ["colours"]),
        ({"TERM": "xterm-256color", "FORCE_COLOR": "1", "NO_COLOR": "1"}, []),
    ],
)
def test_in_a_pipe(variables: Dict[str, str], expected: List[str]) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    environ = {**kept, **variables, "PYTHONUTF8": "1"}
    run = subprocess.run(COMMAND, cwd=REPOSITORY, env=environ, capture_output=True, encoding="utf-8", timeout=60)
    lines = run.stdout.splitlines()
    assert lines[0] == "… train"
    assert "✓ train: succeeded" in lines[1]
    assert kinds(run.stdout) == expected
