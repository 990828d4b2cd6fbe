"""A lease on its way from a deploy to the steps of its build."""

import re
import threading
from contextlib import suppress
from datetime import timedelta
from typing import List

import pytest

from esteira.errors import LeaseError
from esteira.release.holder import whoami
from esteira.release.lease import check_lease, hold_lease, read_lease
from esteira.release.lease_handed import drop_token, renew, renewed_lease
from esteira.release.store import Store
from esteira.release.store.interface import ConflictError
from tests.release.other_process import start
from tests.release.test_lease import HOLDER, PATIENCE_S, held_by, hold, wait_for_line, wait_until, write_lease

BUILD = "b0b0b0b0-0000-4000-8000-000000000001"


def hand_over(store: Store, start_s: float = 60) -> str:
    """Submit a build, as it were, and return the token that its steps know the lease by."""
    with hold(store) as lease:
        lease.hand_over(BUILD, start_s)
    return str(lease.token)


def test_a_lease_that_was_handed_over_is_the_builds_and_of_no_process(store: Store) -> None:
    token = hand_over(store)
    held = held_by(store)
    assert (held.token, held.build, held.pid, held.started, held.machine) == (token, BUILD, 0, 0, "")
    assert not held.stale
    assert re.fullmatch(
        rf"{re.escape(whoami())} \(partial deploy, since [0-9: -]+ UTC, build {BUILD}\)", held.describe()
    )
    check_lease(store, token)


def test_a_lease_that_was_handed_over_ends_by_its_time_unless_steps_renew_it(store: Store) -> None:
    token = hand_over(store, start_s=-1)
    assert held_by(store).stale
    with renewed_lease(store, token, lease_s=60, doing="step data"):
        wait_until(lambda: not held_by(store).stale)
    assert (held_by(store).build, held_by(store).doing) == (BUILD, "step data")


def test_the_next_deploy_waits_for_the_build_and_takes_over_once_that_is_over(store: Store) -> None:
    hand_over(store)
    lines: List[str] = []
    asked: List[str] = []

    def has_ended(build: str) -> bool:
        asked.append(build)
        return len(asked) > 1

    with hold_lease(
        store, what="make deploy", lease_s=0.3, wait_s=PATIENCE_S, report=lines.append, has_ended=has_ended
    ) as lease:
        check_lease(store, lease.token)
    facts = rf"{re.escape(whoami())} \(partial deploy, since [0-9: -]+ UTC, build {BUILD}\)"
    assert re.fullmatch(rf"waiting for {facts} …", lines[0])
    assert re.fullmatch(rf"took over from {facts}: it ended without a word", lines[1])
    assert (len(lines), asked) == (2, [BUILD, BUILD])


def test_a_deploy_that_waited_for_a_build_in_vain_says_how_to_end_it(store: Store) -> None:
    hand_over(store)
    with pytest.raises(LeaseError, match=r"If it hangs, end it: make cancel\Z"), hold(store):
        raise AssertionError("held")


def test_steps_renew_a_lease_as_long_as_they_run(store: Store) -> None:
    token = hand_over(store, start_s=1)
    until = held_by(store).until
    with renewed_lease(store, token, lease_s=1.5, doing="step run"):
        wait_until(lambda: held_by(store).until > until + timedelta(seconds=2.5))
        check_lease(store, token)
    check_lease(store, token)


def test_steps_side_by_side_do_not_lose_the_lease(store: Store) -> None:
    token, lost = hand_over(store), []

    def step(name: str) -> None:
        for _ in range(5):
            with suppress(ConflictError):
                lost.append(not renew(store, token, 60, name))

    with renewed_lease(store, token, lease_s=0.3, doing="step compile"):
        with renewed_lease(store, token, lease_s=0.3, doing="step image"):
            threads = [threading.Thread(target=step, args=(f"step {name}",)) for name in ("data", "sync")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        check_lease(store, token)
    assert not any(lost)
    assert (held_by(store).token, held_by(store).build) == (token, BUILD)


def test_a_step_that_fails_drops_the_lease(store: Store) -> None:
    token = hand_over(store)
    with pytest.raises(KeyError), renewed_lease(store, token, lease_s=60, doing="step data", build=BUILD):
        raise KeyError
    assert read_lease(store) is None
    with hold(store):
        assert held_by(store).build == ""


def test_a_step_of_a_build_that_gcloud_made_besides_leaves_the_lease_to_the_other(store: Store) -> None:
    token = hand_over(store)
    with pytest.raises(KeyError), renewed_lease(store, token, lease_s=60, doing="step data", build="b-2"):
        raise KeyError
    assert (held_by(store).token, held_by(store).build) == (token, BUILD)


def test_a_lease_that_somebody_else_has_is_neither_renewed_nor_dropped(store: Store) -> None:
    token = hand_over(store)
    store.write("lease", HOLDER.json().encode())
    with pytest.raises(KeyError), renewed_lease(store, token, lease_s=60, doing="step data"):
        raise KeyError
    assert not renew(store, token, 60, "step sync")
    drop_token(store, token)
    assert held_by(store) == HOLDER
    with pytest.raises(LeaseError, match="This deploy promotes nothing"):
        check_lease(store, token)


def test_the_last_step_drops_the_lease(store: Store) -> None:
    token = hand_over(store)
    drop_token(store, token)
    assert read_lease(store) is None
    drop_token(store, token)
    assert not renew(store, token, 60, "step data")


def test_a_step_that_is_faster_than_the_hand_over_leaves_the_lease_to_the_build(store: Store) -> None:
    with hold(store) as lease:
        assert renew(store, lease.token, 60, "step data")
        lease.hand_over(BUILD, 60)
    held = held_by(store)
    assert (held.token, held.build, held.doing, held.pid) == (lease.token, BUILD, "step data", 0)


def test_a_build_that_was_over_before_the_hand_over_leaves_nothing(store: Store) -> None:
    with hold(store) as lease:
        drop_token(store, lease.token)
        lease.hand_over(BUILD, 60)
    assert read_lease(store) is None


def test_a_lease_that_was_lost_before_the_hand_over_stays_the_others(store: Store) -> None:
    with hold(store) as lease:
        store.write("lease", HOLDER.json().encode())
        lease.hand_over(BUILD, 60)
    assert held_by(store) == HOLDER


def test_steps_hold_the_environment_where_the_submitter_died_before_the_hand_over(store: Store) -> None:
    submitter = start("hold", store, "3600", "0")
    wait_for_line(submitter, "held")
    token = held_by(store).token
    submitter.kill()
    submitter.communicate()
    assert held_by(store).stale
    with renewed_lease(store, token, lease_s=60, doing="step data"):
        wait_until(lambda: not held_by(store).stale)
    with pytest.raises(LeaseError, match=r"If it hangs, end it: make cancel\Z"), hold(store):
        raise AssertionError("held")


def test_a_store_out_of_reach_ends_no_step(store: Store) -> None:
    write_lease(store, HOLDER, 60, 0)
    store.write("lease", b"no lease")
    with renewed_lease(store, HOLDER.token, lease_s=0.1, doing="step data"):
        threading.Event().wait(0.3)
        store.write("lease", HOLDER.json().encode())
        wait_until(lambda: held_by(store).doing == "step data")
