"""A copy of what the pages are made of, to change."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

# What no page is made of.
UNUSED = ("__pycache__", "local", "vertex", "google", "deploy", "source", "builds", "data", "jobs")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The Makefile, tasks.py, the engine and sql/, in a folder of their own."""
    for name in ("Makefile", "tasks.py"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    for name in ("esteira", "sql", ".github"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns(*UNUSED))
    return tmp_path


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
