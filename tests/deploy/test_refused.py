import pytest

from esteira.deploy.record import record_path
from esteira.deploy.refused import keeping_refusal, read_refusal
from esteira.errors import PlanError
from esteira.settings import Settings
from tests.builds.scene import Scene

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


def refuse(settings: Settings) -> None:
    with pytest.raises(PlanError), keeping_refusal(settings, "make deploy-partial"):
        raise PlanError("A full deploy is needed: nothing is deployed yet.\nRun: make deploy-full")


def test_a_refusal_is_kept_until_the_next_deploy(scene: Scene) -> None:
    assert read_refusal(scene.settings) is None
    refuse(scene.settings)
    kept = read_refusal(scene.settings)
    assert kept is not None
    assert (kept.what, kept.state, kept.exit_code) == ("make deploy-partial", "failed", PlanError.exit_code)
    assert kept.error == "A full deploy is needed: nothing is deployed yet.\nRun: make deploy-full"
    with keeping_refusal(scene.settings, "make deploy-full"):
        assert read_refusal(scene.settings) is None
    assert read_refusal(scene.settings) is None


def test_a_record_of_the_environment_local_is_no_refusal(settings: Settings) -> None:
    refuse(settings)
    assert record_path(settings).exists()
    assert read_refusal(settings) is None
