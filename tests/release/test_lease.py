import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, List, Optional

import pytest

from esteira.errors import LeaseError, StateError
from esteira.release.holder import whoami
from esteira.release.lease import LeaseInfo, check_lease, hold_lease, read_lease
from esteira.release.lease_object import now, write_lease
from esteira.release.store import Store
from esteira.release.store.folder import FolderStore
from esteira.release.store.scratch import Scratch
from tests.release.other_process import finish, start

PATIENCE_S = 60
HOLDER = LeaseInfo(
    holder="ml@laptop",
    pid=1234,
    started=1,
    machine="another boot pid:[1]",
    what="full deploy of 1a2b3c4",
    doing="step run",
    since=datetime(2021, 11, 22, 21, 4, 5, tzinfo=timezone.utc),
    until=datetime(2021, 11, 22, 21, 5, 5, tzinfo=timezone.utc),
    token="0a1b2c3d",
)
FACTS = "ml@laptop (full deploy of 1a2b3c4, since 2021-11-22 21:04:05 UTC, step run)"


def hold(store: Store, *, lease_s: float = 60, wait_s: float = 0, report: Callable[[str], Any] = print) -> Any:
    return hold_lease(store, what="partial deploy", lease_s=lease_s, wait_s=wait_s, report=report)


def wait_until(come: Callable[[], bool]) -> None:
    limit_s = time.monotonic() + PATIENCE_S
    while not come():
        assert time.monotonic() < limit_s
        time.sleep(0.02)


def held_by(store: Store) -> LeaseInfo:
    info = read_lease(store)
    assert info
    return info


def wait_for_line(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdout and process.stdout.readline() == f"{line}\n"


def test_a_lease_says_who_holds_it_for_what(store: Store) -> None:
    assert read_lease(store) is None
    with hold(store) as lease:
        held = held_by(store)
        assert (held.holder, held.pid, held.what, held.stale) == (whoami(), os.getpid(), "partial deploy", False)
        assert re.fullmatch(rf"{re.escape(whoami())} \(partial deploy, since [0-9: -]+ UTC\)", held.describe())
        lease.doing("step run")
        wait_until(lambda: held_by(store).doing == "step run")
        check_lease(store, lease.token)
    assert read_lease(store) is None


def test_a_lease_is_renewed_as_long_as_it_is_held(store: Store) -> None:
    with hold(store, lease_s=1.5) as lease:
        until = held_by(store).until
        wait_until(lambda: held_by(store).until > until + timedelta(seconds=1.5))
        check_lease(store, lease.token)


def test_a_lease_is_dropped_after_a_failure(store: Store) -> None:
    with pytest.raises(KeyError), hold(store):
        raise KeyError
    with hold(store):
        assert held_by(store).what == "partial deploy"


def test_a_second_deploy_waits_and_says_once_for_whom(store: Store) -> None:
    lines: List[str] = []
    first = start("hold", store, "60", "0")
    wait_for_line(first, "held")

    def let_go(line: str) -> None:
        lines.append(line)
        threading.Timer(0.5, lambda: first.communicate("\n")).start()

    with hold(store, wait_s=PATIENCE_S, report=let_go):
        assert held_by(store).pid == os.getpid()
    assert len(lines) == 1
    facts = r"full deploy of 1a2b3c4, since [0-9: -]+ UTC(, step run)?"
    assert re.fullmatch(rf"waiting for {re.escape(whoami())} \({facts}\) …", lines[0])
    assert first.wait() == 0


def test_a_deploy_that_waited_in_vain_names_the_holder(store: Store) -> None:
    write_lease(store, HOLDER, 3600, 0)
    lines: List[str] = []
    with pytest.raises(LeaseError) as caught, hold(store, lease_s=0.3, wait_s=0.3, report=lines.append):
        raise AssertionError("held")
    assert str(caught.value) == (
        f"{store.uri}/lease: another deploy holds the environment: {FACTS}.\n"
        "Expected it to end within 0.3 s (deploy.wait_s). Run: make status    "
        "If it hangs, end it on laptop: kill 1234"
    )
    assert lines == [f"waiting for {FACTS} …"]
    assert held_by(store).token == HOLDER.token


def test_a_lease_that_was_not_renewed_in_time_is_taken_over(store: Store) -> None:
    write_lease(store, HOLDER, -1, 0)
    assert held_by(store).stale
    lines: List[str] = []
    with hold(store, report=lines.append) as lease:
        check_lease(store, lease.token)
    assert lines == [f"took over from {FACTS}: it ended without a word"]


def test_the_lease_of_a_killed_process_here_is_taken_over_at_once(store: Store) -> None:
    killed = start("hold", store, "3600", "0")
    wait_for_line(killed, "held")
    assert not held_by(store).stale
    killed.kill()
    killed.communicate()
    assert held_by(store).stale
    with hold(store, wait_s=0):
        assert held_by(store).pid == os.getpid()


def test_a_holder_that_slept_learns_that_it_lost_the_lease(store: Store) -> None:
    asleep = start("hold", store, "0.6", "0")
    wait_for_line(asleep, "held")
    put_to_sleep(asleep, store)
    with hold(store, wait_s=PATIENCE_S) as lease:
        asleep.send_signal(signal.SIGCONT)
        (output,) = finish_with_line(asleep)
        assert f"{store.uri}/lease: was taken over by {whoami()} (partial deploy, since " in output
        assert output.endswith("This deploy promotes nothing. Run it again.\n")
        check_lease(store, lease.token)
        assert held_by(store).token == lease.token


def put_to_sleep(process: "subprocess.Popen[str]", store: Store) -> None:
    """Stop a process, but not while it holds the lock of a folder's store."""
    with Scratch(Path(store.uri)).locked() if isinstance(store, FolderStore) else nullcontext():
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)


def finish_with_line(process: "subprocess.Popen[str]") -> List[str]:
    output = process.communicate("\n")[0]
    assert process.returncode == 0
    return [output]


def test_a_lost_lease_is_not_dropped_by_its_former_holder(store: Store) -> None:
    with hold(store, lease_s=3600) as lease:
        store.write("lease", HOLDER.json().encode())
        with pytest.raises(LeaseError, match=f"was taken over by {re.escape(FACTS)}: this deploy did not renew"):
            check_lease(store, lease.token)
    assert held_by(store) == HOLDER


def test_a_lost_lease_is_told_when_its_new_holder_has_ended_too(store: Store) -> None:
    with hold(store, lease_s=3600) as lease:
        store.delete(["lease"])
        with pytest.raises(LeaseError, match="was taken over by another deploy, which has ended: "):
            check_lease(store, lease.token)


def test_of_many_processes_one_at_a_time_holds_the_lease(store: Store) -> None:
    finish([start("take_turns", store, "3") for _ in range(3)])
    assert read_lease(store) is None


class Outrun(FolderStore):
    """A store in which somebody else always has, and drops, the lease between a reading and a writing."""

    writes = 0

    def write(self, name: str, content: bytes, *, if_generation: Optional[int] = None) -> int:
        self.writes += 1
        super().write(name, b"{}\n")
        return super().write(name, content, if_generation=if_generation)


def test_one_who_is_always_too_late_neither_spins_nor_waits_for_ever(tmp_path: Path) -> None:
    store = Outrun(tmp_path / "store")
    told = pytest.raises(LeaseError, match=r"lease: other deploys were faster again and again\.\n.* within 0\.3 s")
    with told, hold(store, lease_s=0.3, wait_s=0.3):
        raise AssertionError("held")
    assert store.writes < 10
    assert read_lease(store) is None


def test_a_folder_in_the_place_of_a_lease_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "store" / "lease").mkdir(parents=True)
    with pytest.raises(StateError) as caught, hold(FolderStore(tmp_path / "store"), wait_s=PATIENCE_S):
        raise AssertionError("held")
    assert str(caught.value) == (
        f"{tmp_path}/store/lease: cannot be written: something else, such as a folder, is in its place.\n"
        f"Expected what a deploy writes. See what lies there, then remove it: rm -r {tmp_path}/store/lease"
    )


@pytest.mark.parametrize("time", ["since", "until"])
def test_a_lease_without_a_time_zone_cannot_be_read(tmp_path: Path, time: str) -> None:
    store = FolderStore(tmp_path / "store")
    store.write("lease", json.dumps({**json.loads(HOLDER.json()), time: "2021-11-22T21:04:05"}).encode())
    with pytest.raises(StateError, match=rf"is no lease that this version can read: (?s:.*){time}\n  has no time zone"):
        read_lease(store)


def test_a_lease_of_another_version_is_named(store: Store) -> None:
    store.write("lease", json.dumps({"holder": "ml@laptop"}).encode())
    with pytest.raises(StateError, match=r"lease: is no lease that this version can read: (?s:.*)remove it: .*rm "):
        read_lease(store)


def test_a_lease_that_cannot_be_dropped_is_told(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    lines: List[str] = []
    with hold(store, report=lines.append):
        shutil.rmtree(tmp_path / "store")
        (tmp_path / "store").write_text("no folder")
    assert len(lines) == 1
    assert lines[0].startswith("the lease could not be dropped and ends by itself within 60 s: ")


def test_the_day_of_a_lease_is_named_where_it_is_not_today() -> None:
    assert HOLDER.describe() == FACTS
    today = HOLDER.copy(update={"since": now(), "doing": ""})
    assert today.describe() == f"ml@laptop (full deploy of 1a2b3c4, since {today.since:%H:%M:%S} UTC)"
