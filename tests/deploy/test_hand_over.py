"""What a step of a build is told, and how it holds the environment meanwhile."""

import pytest

from esteira.deploy.hand_over import given_order, last_order
from esteira.errors import BuildError, LeaseError
from esteira.release.lease import check_lease, hold_lease, read_lease
from esteira.release.order import Order
from esteira.release.store import Store, open_store
from esteira.settings import Settings
from tests.builds.scene import Scene
from tests.deploy.test_submission import ORDER
from tests.release.test_lease import HOLDER, held_by, wait_until

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

BUILD = "b0b0b0b0-0000-4000-8000-000000000001"


@pytest.fixture
def store(scene: Scene) -> Store:
    return open_store(scene.settings)


def handed_over(store: Store) -> Order:
    """Return the order of a build that the environment's lease was handed over to."""
    with hold_lease(store, what="make deploy", lease_s=60, wait_s=0, report=print) as lease:
        lease.hand_over(BUILD, 60)
    return ORDER.copy(update={"lease": lease.token})


def test_a_step_renews_the_lease_of_its_build(scene: Scene, store: Store) -> None:
    order = handed_over(store)
    with given_order(scene.settings, order.json(), "data") as given:
        assert given == order
        wait_until(lambda: held_by(store).doing == "step data")
    assert held_by(store).build == BUILD


def test_a_step_that_fails_leaves_the_environment_to_the_next_deploy(scene: Scene, store: Store) -> None:
    order = handed_over(store)
    with pytest.raises(KeyError), given_order(scene.settings, order.json(), "data", BUILD):
        raise KeyError
    assert read_lease(store) is None


def test_the_last_step_leaves_the_environment_to_the_next_deploy(scene: Scene, store: Store) -> None:
    order = handed_over(store)
    with last_order(scene.settings, order.json(), "promote", force=False) as given:
        assert given == order
        check_lease(store, order.lease)
    assert read_lease(store) is None


def test_a_build_that_has_lost_the_environment_leaves_it_to_who_has_it(scene: Scene, store: Store) -> None:
    order = handed_over(store)
    store.write("lease", HOLDER.json().encode())
    told = pytest.raises(LeaseError, match="This deploy promotes nothing")
    with told, last_order(scene.settings, order.json(), "promote", force=False):
        check_lease(store, order.lease)
    assert held_by(store) == HOLDER


def test_a_step_of_a_build_whose_submission_was_given_up_does_nothing(scene: Scene, store: Store) -> None:
    with hold_lease(store, what="make deploy", lease_s=60, wait_s=0, report=print) as lease:
        order = ORDER.copy(update={"lease": lease.token})
    told = pytest.raises(LeaseError, match="lease: was taken over by another deploy, which has ended")
    with told, given_order(scene.settings, order.json(), "data"):
        raise AssertionError("begun")
    assert read_lease(store) is None


def test_a_step_on_this_machine_leaves_the_lease_to_the_deploy_that_waits_for_it(settings: Settings) -> None:
    store = open_store(settings)
    with hold_lease(store, what="make deploy", lease_s=60, wait_s=0, report=print) as lease:
        before = held_by(store)
        order = ORDER.copy(update={"lease": lease.token})
        with last_order(settings, order.json(), "promote", force=False) as given:
            assert given == order
        assert held_by(store) == before


def test_a_step_that_is_typed_by_hand_has_no_order(scene: Scene) -> None:
    with given_order(scene.settings, None, "data") as order:
        assert order is None


def test_an_order_of_another_version_is_refused(scene: Scene) -> None:
    told = pytest.raises(BuildError, match=r"ESTEIRA_PLAN: is no plan that this version can read: (?s:.*)make deploy")
    with told, given_order(scene.settings, '{"kind": "full"}', "data"):
        raise AssertionError("given")
