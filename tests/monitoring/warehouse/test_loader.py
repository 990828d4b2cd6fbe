"""The loader's process: it loads beside a server, ends with it, and is started again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import pytest

from esteira.monitoring.journal.segments import list_segments
from esteira.monitoring.warehouse import loader
from esteira.monitoring.warehouse.database import DATABASE, Place
from esteira.monitoring.warehouse.loader import Loader
from esteira.monitoring.warehouse.loader_process import start_loader
from esteira.monitoring.warehouse.turn import held
from tests.conftest import REPOSITORY
from tests.monitoring.logged import ids_of, opened_log, place_in, write

WAIT_S = 60.0
PARENT = """
import sys, time
from pathlib import Path
from esteira.monitoring.warehouse.loader_process import start_loader
from tests.monitoring.logged import place_in

print(start_loader(place_in(Path(sys.argv[1]))).pid, flush=True)
assert "duckdb" not in sys.modules
time.sleep(600)
"""


def wait_until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def size_of(place: Place) -> int:
    file = place.folder / DATABASE
    return file.stat().st_size if file.exists() else 0


def test_what_grows_is_left_alone_until_it_is_quiet_or_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    one = Loader(place)
    for number in range(3):
        write(log, number)
        assert not one.look()
    assert size_of(place) == 0
    assert not one.look()
    assert size_of(place) > 0
    write(log, 3)
    monkeypatch.setattr(loader, "WAITING_BYTES", 10)
    monkeypatch.setattr(loader, "BATCH", 1)
    assert one.look()
    assert not one.look()
    log.close()
    assert not one.look()
    assert list_segments(place.journal) != []
    assert ids_of(place) == [0, 1, 2, 3]
    assert list_segments(place.journal) == []


def test_a_warehouse_that_is_in_use_is_told_once_and_tried_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    write(log, 1)
    one = Loader(place, wait_s=0.1)
    with held(place.folder, 1):
        for _ in range(4):
            assert not one.look()
    (size,) = [path.stat().st_size for path in list_segments(place.journal)]
    assert capfd.readouterr().err.count(f"The journal waits to be loaded, {size} bytes of it: ") == 1
    one.look()
    assert size_of(place) > 0
    log.close()


def test_a_database_that_cannot_be_opened_is_told_again_each_time_that_much_more_waits(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    (place.folder / DATABASE).write_bytes(b"x" * 100_000)
    monkeypatch.setattr(loader, "TOLD_BYTES", 10_000)
    one = Loader(place)
    for number in range(5):
        write(log, number, text="x" * 4000)
        for _ in range(3):
            one.look()
    told = [line for line in capfd.readouterr().err.split("\n") if line.startswith("The journal waits to be loaded, ")]
    # From 4 KB on, and once it is 10 KB more.
    assert [int(line.split()[6].replace(",", "")) // 4000 for line in told] == [1, 4]
    assert f"{place.folder / DATABASE}: cannot be used: " in told[1]
    log.close()


@pytest.mark.programs
@pytest.mark.slow
def test_a_loader_that_dies_is_told_and_started_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    process = start_loader(place)
    first = process.pid
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: process.pid != first)
    write(log, 1)
    # Loaded by the loader: nobody else opens the warehouse.
    wait_until(lambda: size_of(place) > 0)
    process.stop()
    log.close()
    assert ids_of(place) == [1]
    assert capfd.readouterr().err == (
        "The loader of the request log has ended with status -9; no request is lost. It starts again in 1 s.\n"
    )


@pytest.mark.programs
@pytest.mark.slow
def test_a_loader_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, encoding="utf-8") as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        niceness = Path(f"/proc/{pid}/stat")
        wait_until(lambda: niceness.read_text(encoding="utf-8").rpartition(")")[2].split()[16] == "19")
        parent.kill()
    wait_until(lambda: not has_process(pid))


def has_process(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    # Nobody here may be there to collect it.
    return state != "Z"
