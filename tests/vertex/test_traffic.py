"""Traffic that moves to a release and back, what is removed, and rollbacks."""

from pathlib import Path
from typing import Any, Iterator, List

import pytest

from esteira.errors import GoogleError, ServingError
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.server import served
from esteira.release.history import keep_release
from esteira.settings import Settings
from esteira.vertex.smoke import smoke_release
from esteira.vertex.traffic import promote_release, remove_older, restore_release
from tests.vertex.endpoint_project import CHECK, LOCATION, Project

pytestmark = pytest.mark.loopback

ONE, TWO, THREE, FOUR = (f"{number:012x}" for number in (1, 2, 3, 4))
PATCH = "aiplatform.projects.locations.endpoints.patch"


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Iterator[Project]:
    project = Project(settings, tmp_path / "bucket")
    with served(project.stand_in):
        yield project


def smoke(project: Project, number: int) -> None:
    smoke_release(project.settings, project.api, project.store, project.release(number))


def promote(project: Project, number: int) -> None:
    promote_release(project.settings, project.api, project.release(number), settle_s=0)


def deploy(project: Project, *numbers: int) -> None:
    for number in numbers:
        smoke(project, number)
        promote(project, number)


def restore(project: Project, number: int) -> None:
    restore_release(project.settings, project.api, project.store, project.release(number), settle_s=0)


def remove(project: Project, number: int = 9) -> List[str]:
    """Remove what is older than a release, as its promotion does; the history does not tell of most of them."""
    return remove_older(project.settings, project.api, project.store, project.release(number))


def kept(project: Project, number: int, parent: str, **values: Any) -> None:
    """Have the history tell of a release that followed another one."""
    keep_release(project.store, project.release(number).copy(update={"parent": parent or None, **values}))


def default_version(project: Project) -> Any:
    return project.endpoints.models.find(f"{LOCATION}/models/sentiment-dev")["versionId"]


def test_all_traffic_moves_to_the_release_and_it_is_asked(project: Project) -> None:
    deploy(project, 1)
    smoke(project, 2)
    project.asked.clear()
    promote(project, 2)
    assert project.deployed() == {ONE: 0, TWO: 100}
    assert project.asked == [TWO]
    assert default_version(project) == "2"
    (call,) = project.stand_in.called(PATCH)
    assert sorted(call.body["trafficSplit"].values()) == [0, 100]


def test_a_release_that_has_the_traffic_is_only_asked_again(project: Project) -> None:
    deploy(project, 1)
    promote(project, 1)
    assert project.deployed() == {ONE: 100}
    assert project.stand_in.called(PATCH) == []


def test_a_model_that_answers_wrongly_after_promotion_gives_the_traffic_back(project: Project) -> None:
    deploy(project, 1)
    smoke(project, 2)
    project.odd.add(TWO)
    before = project.endpoints.known
    with pytest.raises(ServingError) as told:
        promote(project, 2)
    (first,) = [name for name, share in next(iter(before.values()))["trafficSplit"].items() if share]
    assert str(told.value) == (
        f"release {TWO}: its model does not answer on the endpoint sentiment-dev: "
        "expected label, confidence and probabilities, got {'label': 'negative'}\n"
        f"The traffic is as it was: 100 % to {first}. Run the deploy again."
    )
    assert project.deployed() == {ONE: 100}
    assert default_version(project) == "1"


def test_an_answer_by_another_deployed_model_gives_the_traffic_back(project: Project) -> None:
    deploy(project, 1)
    smoke(project, 2)
    patch = project.endpoints.patch

    def stuck(call: Any) -> Any:
        return {**patch(call), "trafficSplit": patch(call._replace(body={"trafficSplit": split}))["trafficSplit"]}

    split = dict(project.endpoints.known[next(iter(project.endpoints.known))]["trafficSplit"])
    project.stand_in.handlers[PATCH] = stuck
    with pytest.raises(ServingError) as told:
        promote(project, 2)
    assert " answers in place of " in str(told.value)
    assert project.deployed() == {ONE: 100}


def test_an_endpoint_that_may_not_be_asked_gives_the_traffic_back(project: Project) -> None:
    deploy(project, 1)
    smoke(project, 2)
    project.stand_in.faults.add(Fault(r".*\.predict", "denied"))
    with pytest.raises(ServingError, match=r"Whoever runs this lacks aiplatform.endpoints.predict\."):
        promote(project, 2)
    assert project.deployed() == {ONE: 100}


def test_traffic_that_cannot_be_set_back_is_told(project: Project) -> None:
    deploy(project, 1)
    smoke(project, 2)
    project.odd.add(TWO)
    project.stand_in.faults.add(Fault(PATCH, "denied", skip=1))
    with pytest.raises(ServingError, match=r"traffic could not be set back to 100 % to [0-9]+: (.|\n)*make rollback"):
        promote(project, 2)
    assert project.deployed() == {ONE: 0, TWO: 100}


@pytest.mark.parametrize("kind", ["lost", "reset", "unavailable"])
def test_traffic_moves_though_an_answer_is_lost(project: Project, kind: Any) -> None:
    deploy(project, 1)
    smoke(project, 2)
    project.stand_in.faults.add(Fault(PATCH, kind))
    promote(project, 2)
    assert project.deployed() == {ONE: 0, TWO: 100}


def test_a_denied_promotion_leaves_all_as_it_is(project: Project) -> None:
    deploy(project, 1)
    smoke(project, 2)
    project.stand_in.faults.add(Fault(PATCH, "denied"))
    with pytest.raises(GoogleError, match="cannot move the traffic of the endpoint sentiment-dev: Permission"):
        promote(project, 2)
    assert project.deployed() == {ONE: 100, TWO: 0}


def test_a_release_that_is_not_deployed_cannot_be_promoted(project: Project) -> None:
    with pytest.raises(ServingError) as told:
        promote(project, 1)
    assert str(told.value) == (
        f"release {ONE}: its model is not deployed to the endpoint sentiment-dev.\n"
        "Run: make deploy ENV=dev    It is smoke-tested, and deployed, again."
    )


@pytest.mark.parametrize(("keep", "left"), [(0, [THREE]), (1, [TWO, THREE]), (5, [ONE, TWO, THREE])])
def test_the_oldest_without_traffic_are_removed(project: Project, keep: int, left: Any) -> None:
    project.set("endpoint", keep=keep)
    deploy(project, 1, 2, 3)
    assert [*remove(project), *left] == [ONE, TWO, THREE]
    assert list(project.deployed()) == left
    assert project.deployed()[THREE] == 100
    assert remove(project) == []
    versions = project.endpoints.models.known.values()
    assert [version["versionId"] for model in versions for version in model] == ["1", "2", "3"]


def test_the_model_that_serves_is_never_removed_however_old(project: Project) -> None:
    project.set("endpoint", keep=0)
    deploy(project, 1, 2)
    promote(project, 1)
    assert remove(project) == [TWO]
    assert project.deployed() == {ONE: 100}


def test_what_a_rollback_brought_back_stays_for_the_next_one(project: Project) -> None:
    deploy(project, 1, 2)
    restore(project, 1)
    deploy(project, 3)
    kept(project, 1, "")
    kept(project, 2, ONE)
    rollback = f"{7:012x}"
    kept(project, 7, TWO, kind="rollback", restores=ONE)
    third = project.release(3).copy(update={"parent": rollback})
    assert remove_older(project.settings, project.api, project.store, third) == [TWO]
    assert project.deployed() == {ONE: 0, THREE: 100}
    restore(project, 1)
    assert len(project.deployments()) == 5


def test_two_that_are_kept_are_those_that_served_last_then_those_deployed_last(project: Project) -> None:
    project.set("endpoint", keep=2)
    deploy(project, 1, 2, 3)
    smoke(project, 4)
    kept(project, 1, "")
    third = project.release(3).copy(update={"parent": ONE})
    assert remove_older(project.settings, project.api, project.store, third) == [TWO]
    assert project.deployed() == {ONE: 0, THREE: 100, FOUR: 0}


def test_a_rollback_to_a_deployed_model_only_moves_the_traffic(project: Project) -> None:
    deploy(project, 1, 2)
    deployments = project.deployments()
    restore(project, 1)
    assert project.deployed() == {ONE: 100, TWO: 0}
    assert project.deployments() == deployments


def test_a_rollback_to_a_model_that_was_removed_deploys_it_again_after_a_smoke_test(project: Project) -> None:
    project.set("endpoint", keep=0)
    deploy(project, 1, 2)
    remove(project)
    restore(project, 1)
    assert project.deployed() == {TWO: 0, ONE: 100}
    assert project.deployed(CHECK) == {}
    assert len(project.stand_in.called("aiplatform.projects.locations.models.upload")) == 2
    project.wrong.add(TWO)
    remove(project)
    with pytest.raises(ServingError, match=f"release {TWO} on Vertex AI: the smoke test failed in 1 of 19 checks"):
        restore(project, 2)
    assert project.deployed() == {ONE: 100}


def test_a_rollback_is_known_by_the_release_that_it_brings_back(project: Project) -> None:
    deploy(project, 1, 2)
    rollback = project.release(3).copy(update={"kind": "rollback", "restores": ONE})
    promote_release(project.settings, project.api, rollback, settle_s=0)
    assert project.deployed() == {ONE: 100, TWO: 0}


def test_where_the_pusher_deploys_promotion_does_nothing_and_a_rollback_says_why_it_cannot(project: Project) -> None:
    project.set("endpoint", by="pusher")
    promote(project, 1)
    assert remove(project) == []
    with pytest.raises(ServingError) as told:
        restore(project, 1)
    assert project.stand_in.calls == []
    assert str(told.value) == (
        f'release {ONE}: cannot be brought back, as endpoint.by = "pusher": TFX deploys a model in the run that '
        "trained it, and keeps none beside it.\n"
        "To train and deploy it again: git checkout cccccccccccc    Then: make deploy-full ENV=dev"
    )
