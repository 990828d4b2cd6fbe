"""A small repository of its own for each test, and one way to run a build in it."""

from pathlib import Path
from typing import Any, Callable, List, Optional, Tuple

import pytest

from esteira.local.builds.result import BuildResult
from esteira.local.builds.run import run_build
from esteira.local.builds.support import LOCAL_BUILDER
from esteira.settings import Settings
from esteira.source import frozen_source
from tests.repositories import make_repository

Lines = List[Tuple[str, ...]]
HEAD = 'substitutions: {_BUILDER: ""}\n'


class Recorder:
    """Takes what a build reports, in the order in which it does."""

    def __init__(self) -> None:
        self.calls: Lines = []

    def started(self, name: str) -> None:
        self.calls.append(("started", name))

    def finished(self, name: str, outcome: str, detail: str = "") -> None:
        self.calls.append(("finished", name, outcome, detail))

    def line(self, name: str, text: str) -> None:
        self.calls.append(("line", name, text))

    def lines_of(self, name: str) -> List[str]:
        return [call[2] for call in self.calls if call[:2] == ("line", name)]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with one commit on the branch main, in a folder with a space in its name."""
    return make_repository(tmp_path / "a repo", {"file.txt": "committed\n"})


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def run(
    repository: Path, tmp_path: Path, make_settings: Callable[..., Settings], recorder: Recorder
) -> Callable[..., BuildResult]:
    """Return a function that runs the steps of a YAML text, which says nothing of the builder image."""

    def run_steps(steps: str, head: str = HEAD, build_id: Optional[str] = None, **substitutions: str) -> BuildResult:
        build_file = tmp_path / "build.yaml"
        build_file.write_text(f"{head}steps:\n{steps}", encoding="utf-8")
        report: Any = recorder
        settings = make_settings(repository)
        with frozen_source(repository, settings.state) as source:
            return run_build(
                build_file,
                settings=settings,
                source=source,
                substitutions={"_BUILDER": LOCAL_BUILDER, **substitutions},
                report=report,
                build_id=build_id,
            )

    return run_steps
