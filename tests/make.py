"""Typing make as a user would, in a given clone."""

import os
import subprocess
from pathlib import Path

from tests.conftest import REPOSITORY

TIMEOUT_S = 600
VENV = REPOSITORY / ".venv"


def make(root: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run make in `root` with this repository's environment, its output as text."""
    return subprocess.run(
        ["make", *arguments, f"VENV={VENV}"],
        cwd=root,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
    )
