import os
import signal
import subprocess

import pytest

from esteira.release.holder import is_dead, process_start, this_machine, whoami


def test_this_process_is_alive() -> None:
    started = process_start(os.getpid())
    assert started > 0
    assert not is_dead(os.getpid(), started, this_machine())


@pytest.mark.programs
def test_a_process_is_dead_once_it_is_killed() -> None:
    process = subprocess.Popen(["sleep", "60"])
    started, machine = process_start(process.pid), this_machine()
    assert not is_dead(process.pid, started, machine)
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie, as long as nobody takes its status
    assert is_dead(process.pid, started, machine)
    process.wait()
    assert is_dead(process.pid, started, machine)


def test_another_process_with_the_same_number_does_not_count() -> None:
    assert is_dead(os.getpid(), process_start(os.getpid()) - 1, this_machine())


@pytest.mark.parametrize("machine", ["", "another boot pid:[1]"])
def test_of_other_machines_nothing_is_known(machine: str) -> None:
    assert not is_dead(1 << 22, 1, machine)


def test_a_user_without_an_account_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("esteira.release.holder.socket.gethostname", lambda: "host")
    monkeypatch.setattr("pwd.getpwuid", lambda number: {}[number])
    assert whoami() == f"{os.getuid()}@host"
