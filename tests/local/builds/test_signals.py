import os
import signal
import threading
from typing import List

import pytest

from esteira.local.builds.signals import calling_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_becomes_a_call_and_the_former_handler_comes_back(number: int) -> None:
    calls: List[str] = []
    former = signal.getsignal(number)
    with calling_on_signals(lambda: calls.append("called")):
        os.kill(os.getpid(), number)
    assert (calls, signal.getsignal(number)) == (["called"], former)


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    calls: List[str] = []
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with calling_on_signals(lambda: calls.append("called")):
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, former)
    assert calls == []


def test_another_thread_listens_to_nothing() -> None:
    entered: List[bool] = []

    def enter() -> None:
        with calling_on_signals(lambda: None):
            entered.append(True)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [True]
