from typing import Any, Dict, List, Set

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from esteira.local.builds.schedule import find_ready, find_waits


@st.composite
def builds(draw: st.DrawFn) -> List[Dict[str, Any]]:
    """Draw a linted build's steps: ids are optional, waitFor names earlier ones."""
    steps: List[Dict[str, Any]] = []
    for index in range(draw(st.integers(1, 8))):
        earlier = [step["id"] for step in steps if "id" in step]
        step: Dict[str, Any] = {"id": f"s{index}"} if draw(st.booleans()) else {}
        if draw(st.booleans()):
            step["waitFor"] = draw(st.lists(st.sampled_from(["-", *earlier]), max_size=4))
        steps.append(step)
    return steps


@examples(deadline=None)
@given(builds(), st.randoms(use_true_random=False))
def test_every_order_of_endings_runs_each_step_once_and_after_what_it_waits_for(
    steps: List[Dict[str, Any]], random: Any
) -> None:
    waits = find_waits(steps)
    started: List[int] = []
    running: List[int] = []
    completed: Set[int] = set()
    while True:
        ready = find_ready(waits, set(started), completed)
        for index in ready:
            for earlier, other in enumerate(steps[:index]):
                named = "id" in other and other["id"] in steps[index].get("waitFor", [])
                if named or not steps[index].get("waitFor"):
                    assert earlier in completed
        started += ready
        running += ready
        if not running:
            break
        completed.add(running.pop(random.randrange(len(running))))
    assert sorted(started) == list(range(len(steps)))


def test_without_wait_for_a_step_waits_for_all_before_it() -> None:
    assert find_waits([{}, {"id": "a"}, {"waitFor": []}]) == [frozenset(), {0}, {0, 1}]


def test_a_dash_alone_waits_for_nothing_and_beside_others_is_over() -> None:
    steps: List[Dict[str, Any]] = [{"id": "a"}, {"waitFor": ["-"]}, {"waitFor": ["-", "a"]}]
    assert find_waits(steps) == [frozenset(), frozenset(), {0}]


def test_a_step_that_failed_is_not_waited_for_in_vain() -> None:
    assert find_ready(find_waits([{"id": "a"}, {}]), {0}, set()) == []
