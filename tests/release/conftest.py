"""The two stores, for the tests that both must pass."""

from pathlib import Path

import pytest

from esteira.release.store import Store
from esteira.release.store.cloud import CloudStore
from esteira.release.store.folder import FolderStore
from tests.bucket_server import bucket_server, environment, stand_in

__all__ = ["bucket_server", "environment", "stand_in"]

FOLDER = pytest.param("folder", marks=pytest.mark.programs)
CLOUD = pytest.param("cloud", marks=[pytest.mark.loopback, pytest.mark.programs])


@pytest.fixture(params=[FOLDER, CLOUD])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store: a folder, then a bucket on the bucket server."""
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    return CloudStore(request.getfixturevalue("environment"), "sentiment")
