"""Many requests at once."""

import threading

import pytest

from esteira.release.store.parallel import WORKERS, at_once, in_parallel


def test_results_come_in_the_order_of_the_items() -> None:
    first_may_end = threading.Event()

    def act(item: int) -> int:
        if item == 0:
            assert first_may_end.wait(10)
        if item == WORKERS:
            first_may_end.set()
        return item * item

    assert in_parallel(act, range(WORKERS + 1)) == [item * item for item in range(WORKERS + 1)]


def test_a_failure_is_raised_and_no_other_item_is_begun() -> None:
    begun = []

    def act(item: int) -> None:
        begun.append(item)
        if item == 0:
            raise ValueError("the first")
        assert failed.wait(10)

    failed = threading.Event()
    # The other workers are busy until the failure has been told.
    timer = threading.Timer(0.5, failed.set)
    timer.start()
    with pytest.raises(ValueError, match="the first"):
        in_parallel(act, range(100))
    assert len(begun) <= 2 * WORKERS


def test_several_acts_are_done_at_once() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def meet() -> str:
        meeting.wait()
        return "met"

    assert at_once(meet, lambda: (meeting.wait(), 7)[1]) == ["met", 7]
