"""Long-running operations."""

from itertools import islice
from typing import Iterator, List

import pytest

from esteira.errors import GoogleError
from esteira.google.api import Api, Json
from esteira.google.operations import pauses, wait_for_operation
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.server import StandIn, served

pytestmark = pytest.mark.loopback

METHOD = "aiplatform.projects.locations.operations.get"
NAME = "projects/demo-project/locations/europe-west1/operations/1"


@pytest.fixture
def states() -> List[Json]:
    """What the operation will be, at each look; the last for good."""
    return []


@pytest.fixture
def stand_in(states: List[Json]) -> Iterator[StandIn]:
    handler = lambda call: {"name": NAME, **(states.pop(0) if len(states) > 1 else states[0])}  # noqa: E731
    with served(StandIn({METHOD: handler})) as running:
        yield running


def wait(stand_in: StandIn, operation: Json, paused: List[float], timeout_s: float = 60) -> Json:
    api = Api("demo-project", "europe-west1", stand_in.variables(), pause=lambda pause_s: None)
    return wait_for_operation(
        api, "deploy the model", "aiplatform", operation, timeout_s=timeout_s, longest_s=2, pause=paused.append
    )


def test_it_is_asked_for_until_it_is_done(stand_in: StandIn, states: List[Json]) -> None:
    states += [{}, {"done": False}, {"done": True, "response": {"name": "made"}}]
    stand_in.faults.add(Fault(METHOD, "reset"))
    paused: List[float] = []
    assert wait(stand_in, {"name": NAME}, paused) == {"name": "made"}
    assert paused == [1, 1.5, 2]


def test_one_that_is_done_is_not_asked_for(stand_in: StandIn) -> None:
    assert wait(stand_in, {"name": NAME, "done": True}, []) == {}
    assert stand_in.calls == []


def test_its_error_is_told(stand_in: StandIn, states: List[Json]) -> None:
    states.append({"done": True, "error": {"code": 8, "message": "Machine type temporarily unavailable."}})
    with pytest.raises(GoogleError) as caught:
        wait(stand_in, {"name": NAME}, [])
    assert str(caught.value) == "Google Cloud: cannot deploy the model: Machine type temporarily unavailable."
    assert caught.value.reason == "8"


def test_one_that_takes_too_long_is_told(stand_in: StandIn, states: List[Json]) -> None:
    states.append({})
    with pytest.raises(GoogleError) as caught:
        wait(stand_in, {"name": NAME}, [], timeout_s=0)
    assert str(caught.value) == ("Google Cloud: cannot deploy the model: it takes longer than 0 s. Run it again.")


def test_pauses_grow_to_the_longest() -> None:
    assert list(islice(pauses(5), 6)) == [1, 1.5, 2.25, 3.375, 5, 5]
