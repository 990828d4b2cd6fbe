"""Servers in processes of their own, each until the end of a block of code."""

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from esteira.serving.running import stop

READY_TIMEOUT_S = 180.0
IDLE_TIMEOUT_S, LOOK_S = 60.0, 0.25
# What an idle server's timers take meanwhile.
IDLE_CPU_S = 0.02


class Running(NamedTuple):
    """A server that answers: `url` without a path, `pid` of its process."""

    url: str
    pid: int


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(command: List[str], health: str, *, folder: Path, environ: Dict[str, str], log: Path) -> Iterator[Running]:
    """Start a command with --port, give the server once it answers GET `health` with 200, stop it at the end."""
    port = free_port()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(process, url + health, log)
        yield Running(url, process.pid)
    finally:
        stop(process)


def wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Return when the server answers with 200; SystemExit with the end of its log if it does not."""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    tail = log.read_bytes().decode("utf-8", "replace")[-2000:]
    raise SystemExit(f"{url}: no answer within {READY_TIMEOUT_S:g} s (status {process.poll()}).\n{tail}")


def wait_until_idle(pid: int, idle_s: float) -> None:
    """Return when a server has done nothing for so long: it has ended requests that nobody waits for, and its log's."""
    deadline_s = time.monotonic() + IDLE_TIMEOUT_S
    since_s, before_s = time.monotonic(), cpu_s(pid)
    while time.monotonic() - since_s < idle_s and time.monotonic() < deadline_s:
        time.sleep(LOOK_S)
        now_s = cpu_s(pid)
        if now_s - before_s > IDLE_CPU_S:
            since_s = time.monotonic()
        before_s = now_s


def cpu_s(pid: int) -> float:
    """Return the seconds of processor time of a process and of those that it started."""
    ticks = os.sysconf("SC_CLK_TCK")
    return sum(ticks_of(one) for one in family(pid)) / ticks


def family(pid: int) -> List[int]:
    """Return a process and those that it started and that are still there."""
    # Each of its threads has children of its own.
    children = [child for path in Path("/proc").glob(f"{pid}/task/*/children") for child in path.read_text().split()]
    return [pid, *(one for child in children for one in family(int(child)))]


def ticks_of(pid: int) -> int:
    # After the program's name in brackets; user and system time, of its ended children, too.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))
