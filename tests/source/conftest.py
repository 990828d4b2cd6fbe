"""A repository for each test, and one way to freeze what is in it."""

from pathlib import Path
from typing import Callable

import pytest

from esteira.source import Source, frozen_source
from tests.repositories import make_repository


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with one commit on the branch main, in a folder with a space in its name."""
    return make_repository(tmp_path / "a repo", {"file.txt": "committed\n"})


@pytest.fixture
def freeze(repository: Path, tmp_path: Path) -> Callable[..., Source]:
    """Return a function that freezes the source and, as its tree is not read, frees it again."""

    def freeze_it(root: Path = repository, without: str = "") -> Source:
        with frozen_source(root, tmp_path / "state", without=without) as source:
            return source

    return freeze_it
