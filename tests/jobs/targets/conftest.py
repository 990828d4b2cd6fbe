"""The compiled job, made once: TFX's import takes many seconds."""

from pathlib import Path
from typing import Callable, Dict

import pytest

from esteira.jobs.targets.tasks import Job
from esteira.settings import Settings
from tests.jobs.targets.fixed import settings_of

Make = Callable[..., Settings]


@pytest.fixture(scope="session")
def compiled_job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """The job that pipeline/ compiles to, with the settings' defaults."""
    from esteira.jobs.compile import compiled

    return compiled(settings_of(tmp_path_factory.mktemp("compiled"), {}))


@pytest.fixture
def make_cloud(tmp_path: Path) -> Make:
    """Return a function that makes settings of the environment `dev` from flags and keys of the environment."""

    def make(flags: Dict[str, str], **keys: str) -> Settings:
        return settings_of(tmp_path / "repository", flags, **keys)

    return make
