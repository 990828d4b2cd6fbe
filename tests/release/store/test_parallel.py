"""Many requests at once."""

import os
import signal
import threading
from typing import List

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


def test_ctrl_c_waits_for_nothing_that_goes_on() -> None:
    let_go = threading.Event()
    ended: List[str] = []

    def push() -> None:
        let_go.wait(10)
        ended.append("pushed")

    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        at_once(push, lambda: None)
    assert ended == []
    let_go.set()


def test_a_failure_is_raised_when_nothing_goes_on_any_more() -> None:
    failed = threading.Event()
    ended: List[str] = []

    def fail() -> None:
        failed.set()
        raise ValueError("the first")

    def go_on() -> None:
        assert failed.wait(10)
        ended.append("ended")

    with pytest.raises(ValueError, match="the first"):
        at_once(go_on, fail)
    assert ended == ["ended"]
