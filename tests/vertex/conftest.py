"""A project of a test's own, on a stand-in that is served while the test runs."""

from pathlib import Path
from typing import Callable, Iterator, List

import pytest

from esteira.local.cloud.server import served
from esteira.settings import Settings
from tests.vertex.scripted import Project, Snapshot


@pytest.fixture
def make_project(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Project]]:
    """Return a function that makes the project whose runs go through the given states of their tasks."""
    contexts: List[object] = []

    def make(*snapshots: Snapshot) -> Project:
        project = Project(settings, tmp_path / "bucket", *snapshots)
        context = served(project.stand_in)
        context.__enter__()
        contexts.append(context)
        return project

    yield make
    for context in contexts:
        context.__exit__(None, None, None)  # type: ignore[attr-defined]
