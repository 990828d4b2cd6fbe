import pytest

from esteira.settings import Settings
from tests.release.lineage.scene import Scene


@pytest.fixture
def scene(settings: Settings) -> Scene:
    return Scene(settings)
