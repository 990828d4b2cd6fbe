"""What make doctor finds in the state folder."""

import os
import subprocess
from datetime import datetime, timezone

import pytest

from esteira.doctor.finding import Finding
from esteira.doctor.state import check_lease, check_leftovers, check_state
from esteira.locks import take_folder
from esteira.release.holder import process_start, this_machine
from esteira.release.lease import LeaseInfo
from esteira.release.lease_object import write_lease
from esteira.release.store import open_store
from esteira.settings import Settings


def lease_of(process: int) -> LeaseInfo:
    """Return a full deploy's lease, since noon, held by a process of this machine."""
    noon = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
    started = process_start(process) or 1
    who = {"holder": "you@here", "pid": process, "started": started, "machine": this_machine()}
    return LeaseInfo(what="full deploy of 1a2b3c4", since=noon, until=noon, token="0", **who)


def test_a_state_folder_that_is_not_made_yet_holds_nothing(settings: Settings) -> None:
    assert list(check_state(settings)) == [Finding("state", True, f"{settings.state} can be made")]
    assert [*check_lease(settings), *check_leftovers(settings)] == []


def test_a_state_folder_that_nobody_holds_is_well(settings: Settings) -> None:
    settings.state.mkdir()
    assert [*check_state(settings), *check_lease(settings), *check_leftovers(settings)] == [
        Finding("state", True, f"{settings.state} can be written"),
        Finding("deploys", True, "nobody holds the environment"),
        Finding("leftovers", True, "none"),
    ]


def test_who_holds_the_environment_is_told(settings: Settings) -> None:
    write_lease(open_store(settings), lease_of(os.getpid()), 60, 0)
    said = "held by you@here (full deploy of 1a2b3c4, since 2024-05-01 12:00:00 UTC)"
    assert list(check_lease(settings)) == [
        Finding("deploys", None, said, "Another deploy waits for its end: make status")
    ]


@pytest.mark.programs
def test_a_lease_of_a_dead_process_is_told_with_what_takes_it_over(settings: Settings) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    write_lease(open_store(settings), lease_of(dead.pid), 60, 0)
    said = "held by you@here (full deploy of 1a2b3c4, since 2024-05-01 12:00:00 UTC), which is over"
    remedy = "It ended without a word. The next deploy takes over: make deploy"
    assert list(check_lease(settings)) == [Finding("deploys", None, said, remedy)]


def test_what_killed_deploys_left_is_told_but_not_what_is_held(settings: Settings) -> None:
    for name in ("builds/one", "builds/two", "sources/killed", "sources/held"):
        (settings.state / name).mkdir(parents=True)
        (settings.state / name / "file").write_bytes(b"a" * 1_000_000)
    os.utime(settings.state / "builds" / "two", (2e9, 2e9))
    held = take_folder(settings.state / "sources" / "held")
    try:
        assert list(check_leftovers(settings)) == [
            Finding("leftovers", None, "2 folders of deploys that were killed, 2 MB", "The next deploy removes them")
        ]
    finally:
        os.close(held)
