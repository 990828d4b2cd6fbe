from contextlib import ExitStack
from typing import Iterator, List

import pytest

from esteira.google.api import Api
from esteira.google.log import LogFollower, read_log, read_tail, text_of
from esteira.local.cloud.clock import Clock
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.logs import Logs, handlers
from esteira.local.cloud.server import StandIn, served

pytestmark = pytest.mark.loopback
FILTER = 'resource.type="global"'


class Logged:
    """Entries of a stand-in, each a second after the one before."""

    def __init__(self) -> None:
        ticks = iter(range(1767225600, 1767325600))
        self.logs = Logs(clock=Clock(lambda: next(ticks)))
        self.stand_in = StandIn(handlers(self.logs))

    def add(self, *texts: str, time: str = "") -> None:
        for text in texts:
            self.logs.add("global", {}, text, time=time)

    @property
    def api(self) -> Api:
        variables = self.stand_in.variables()
        return Api("demo-project", "europe-west1", variables, environment="dev", retry_s=0.0, pause=lambda s: None)

    def pages(self) -> int:
        return len(self.stand_in.called("logging.entries.list"))


@pytest.fixture
def logged() -> Iterator[Logged]:
    with ExitStack() as stack:
        made = Logged()
        stack.enter_context(served(made.stand_in))
        yield made


def new_texts(follower: LogFollower) -> List[str]:
    return [entry.text for entry in follower.new_entries()]


def test_a_log_is_read_over_all_its_pages(logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esteira.google.log.PAGE", 2)
    logged.add("a", "b", "c", "d", "e")
    assert [entry.text for entry in read_log(logged.api, FILTER)] == ["a", "b", "c", "d", "e"]
    assert logged.pages() == 3


def test_a_tail_is_the_last_entries_in_their_order(logged: Logged) -> None:
    logged.add("a", "b", "c")
    assert [entry.text for entry in read_tail(logged.api, FILTER, 2)] == ["b", "c"]
    assert [entry.text for entry in read_tail(logged.api, FILTER, 9)] == ["a", "b", "c"]
    assert read_tail(logged.api, 'resource.type="build"', 9) == []


def test_a_follower_yields_each_entry_once_late_ones_too(logged: Logged) -> None:
    follower = LogFollower(logged.api, FILTER)
    assert new_texts(follower) == []
    logged.add("a", "b")
    assert new_texts(follower) == ["a", "b"]
    logged.add("late", time="2026-01-01T00:00:00.5Z")
    logged.add("c")
    assert new_texts(follower) == ["late", "c"]
    assert new_texts(follower) == []


def test_a_follower_without_a_filter_asks_nothing(logged: Logged) -> None:
    assert new_texts(LogFollower(logged.api)) == []
    assert logged.pages() == 0


def test_a_reading_that_fails_loses_and_repeats_nothing(logged: Logged) -> None:
    follower = LogFollower(logged.api, FILTER)
    logged.add("a")
    assert new_texts(follower) == ["a"]
    logged.stand_in.faults.add(Fault("logging.entries.list", "unavailable"))
    logged.add("b")
    assert new_texts(follower) == []
    assert str(follower.error) == (
        "Google Cloud: cannot read the log in Cloud Logging: The service is currently unavailable.\n"
        "Run the command again: it goes on from what is there."
    )
    assert new_texts(follower) == ["b"]
    assert follower.error is None


def test_what_an_entry_says_is_its_text_its_message_or_all_that_it_holds() -> None:
    assert text_of({"textPayload": "said\n"}) == "said"
    assert text_of({"jsonPayload": {"message": "said", "level": "info"}}) == "said"
    assert text_of({"jsonPayload": {"state": "RUNNING", "a": 1}}) == '{"a": 1, "state": "RUNNING"}'
