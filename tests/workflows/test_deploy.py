"""deploy.yaml, really run: what a push deploys, what one sees of it, and what it never does."""

from pathlib import Path
from typing import Iterator

import pytest

from esteira.settings import load_settings
from tests.conftest import REPOSITORY
from tests.workflows.hosted import Hosted, hosted_repository

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """A repository whose environment is ready, and that nothing was deployed from yet."""
    folder = tmp_path_factory.mktemp("hosted")
    with hosted_repository(load_settings(REPOSITORY, {"ESTEIRA_STATE": str(folder / "local")}, {}), folder) as served:
        yield served


def test_the_first_push_deploys_everything(hosted: Hosted) -> None:
    ran = hosted.push().succeeded()
    print(ran.told(), ran.summary, hosted.variables, hosted.signed_in())
    served = hosted.served()
    assert (served.kind, served.commit, served.dirty) == ("full", hosted.head, False)
    assert hosted.deploys() == (1, 1, 1)
