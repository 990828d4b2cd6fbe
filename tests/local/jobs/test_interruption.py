"""Runs that are killed, interrupted, or that meet another one: with real processes."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Callable

import pytest

from esteira.errors import StateError
from esteira.local.jobs.store import Store
from esteira.settings import Settings
from tests.local.jobs.handmade import WRITE, HandmadeJob, run, start_run, states

pytestmark = [pytest.mark.programs, pytest.mark.timeout(60)]
# Says that it is there, by its own id and that of a child, and stays for ten minutes.
LINGER = (
    "import subprocess\n"
    "child = subprocess.Popen(['sleep', '600'])\n"
    "if not os.path.exists({again!r}):\n"
    "    open({there!r} + '.new', 'w').write(str(os.getpid()) + ' ' + str(child.pid))\n"
    "    os.rename({there!r} + '.new', {there!r})\n"
    "    time.sleep(600)\n"
    "child.kill()\n"
)


def wait_for(condition: Callable[[], Any]) -> Any:
    limit_s = time.monotonic() + 30
    while time.monotonic() < limit_s:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("waited too long")


def is_gone(process: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return True


class Lingering:
    """A run whose second task lingers, in a process of its own."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.there, self.again = folder / "there", folder / "again"
        linger = LINGER.format(there=str(self.there), again=str(self.again))
        self.job = HandmadeJob(settings.state / "root").script("one")
        self.job.script("two", linger + WRITE, after=["one"]).script("three", after=["two"])
        self.runner: subprocess.Popen[str] = start_run(self.job, settings, "r1")
        wait_for(self.there.exists)

    @property
    def processes(self) -> "list[int]":
        return [int(text) for text in self.there.read_text(encoding="utf-8").split()]

    def check_no_process_is_left(self) -> None:
        wait_for(lambda: all(is_gone(process) for process in self.processes))

    def check_going_on(self, run_id: str) -> None:
        """A second run takes the finished task from the cache, and finds nothing half-made."""
        self.again.touch()
        result = run(self.job, self.settings, run_id)
        assert states(result) == {"one": "cached", "two": "succeeded", "three": "succeeded"}
        folders = {path.name for path in (self.settings.state / "root").glob("*/two_*")}
        assert folders == {Path(result.tasks["two"].outputs["result"][0].uri).parent.name}


@pytest.fixture
def lingering(settings: Settings, tmp_path: Path) -> Lingering:
    return Lingering(settings, tmp_path)


@pytest.mark.parametrize("run_id", ["r1", "r2"])
def test_a_run_that_was_killed_goes_on_from_what_was_finished(lingering: Lingering, run_id: str) -> None:
    lingering.runner.kill()
    lingering.runner.wait()
    lingering.check_no_process_is_left()
    lingering.check_going_on(run_id)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_its_processes_and_is_cancelled(lingering: Lingering, number: int) -> None:
    lingering.runner.send_signal(number)
    output, _ = lingering.runner.communicate(timeout=20)
    assert "KeyboardInterrupt" in output
    assert "- two: cancelled" in output
    assert all(is_gone(process) for process in lingering.processes)
    with Store(lingering.settings.state / "metadata.sqlite") as store:
        assert store.executions_of("r1") == [("one", "COMPLETE"), ("two", "CANCELLED")]
    lingering.check_going_on("r2")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's device that is always full")
def test_a_disk_that_fills_up_in_a_run_ends_its_processes_and_is_told(settings: Settings, tmp_path: Path) -> None:
    there = tmp_path / "there"
    run(HandmadeJob(settings.state / "root").script("one"), settings, "r1")
    linger = LINGER.format(there=str(there), again=str(tmp_path / "never"))
    job = HandmadeJob(settings.state / "root").script("two", linger)
    job.script("begun", f"while not os.path.exists({str(there)!r}): time.sleep(0.01)", outputs={})
    job.script("one", after=["begun"])
    logs = settings.state / "logs" / "runs" / "r2"
    logs.mkdir(parents=True)
    (logs / "one.log").symlink_to("/dev/full")
    with pytest.raises(StateError, match=r"state: cannot write: No space left on device\.\n.*Free some space"):
        run(job, settings, "r2")
    assert all(is_gone(int(process)) for process in there.read_text(encoding="utf-8").split())
    assert list((settings.state / "root" / "r2").glob("two_*")) == []
    with Store(settings.state / "metadata.sqlite") as store:
        assert dict(store.executions_of("r2"))["two"] == "CANCELLED"
        live = [artifact.uri for artifact, state, _ in store.find_artifacts() if state == "LIVE"]
    assert [Path(uri).parent.parent.name for uri in live] == ["r1"]


def test_the_end_of_the_process_that_starts_tasks_fails_the_task(lingering: Lingering) -> None:
    status = Path(f"/proc/{lingering.processes[0]}/status").read_text(encoding="utf-8")
    server = int(status.split("PPid:\t")[1].split()[0])
    os.kill(server, signal.SIGKILL)
    output, _ = lingering.runner.communicate(timeout=20)
    assert "two: failed" in output
    assert "the process that starts tasks was ended by the signal SIGKILL" in output
    assert is_gone(lingering.processes[0])
    os.kill(lingering.processes[1], signal.SIGKILL)


def test_two_runs_at_once_in_one_state_folder_do_not_disturb_each_other(settings: Settings) -> None:
    job = HandmadeJob(settings.state / "root")
    for name in "abcdef":
        job.script(name)
    runners = [start_run(job, settings, run_id) for run_id in ("r1", "r2")]
    outputs = [runner.communicate(timeout=50)[0] for runner in runners]
    assert [runner.returncode for runner in runners] == [0, 0], outputs
    assert set(states(run(job, settings, "r3")).values()) == {"cached"}


def test_a_child_that_outlives_its_task_is_ended_with_it(settings: Settings, tmp_path: Path) -> None:
    there = str(tmp_path / "there")
    code = f"import subprocess; p = subprocess.Popen(['sleep', '600']); open({there!r}, 'w').write(str(p.pid))"
    job = HandmadeJob(settings.state / "root").script("one", code)
    assert states(run(job, settings, "r1")) == {"one": "succeeded"}
    wait_for(lambda: is_gone(int(Path(there).read_text(encoding="utf-8"))))
