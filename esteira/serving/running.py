"""A prediction server of one's own, for as long as a block of code runs."""

import select
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Iterator, List, NamedTuple, Optional

import esteira
from esteira.errors import ServingError
from esteira.process import TAIL_LINES
from esteira.serving.identity import Identity
from esteira.serving.limits import Limits, limit_options

READY_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 30.0


class LogPlace(NamedTuple):
    """The folder of the warehouse that answered requests are kept in, and what of them."""

    folder: Path
    percent: int = 100
    text: str = "keep"


@contextmanager
def running_server(
    model_dir: Path,
    *,
    name: str,
    max_batch: int = 64,
    timeout_s: float = READY_TIMEOUT_S,
    limits: Optional[Limits] = None,
    deployed: Optional[Identity] = None,
    log: Optional[LogPlace] = None,
) -> Iterator[str]:
    """Start the real server on a free port of 127.0.0.1, give its URL once it is ready, stop it at the end.

    It answers as `deployed`, and keeps its requests in `log`, none without. The server also stops if this process
    dies. Raises ServingError, with the end of what the server wrote, if it does not become ready within `timeout_s`.
    """
    options = ["--name", name, "--max-batch", str(max_batch)]
    options += limit_options(limits) if limits else []
    if deployed is not None:
        options += ["--endpoint", deployed.endpoint, "--deployed-id", deployed.id, "--release", deployed.release]
    if log is not None:
        options += ["--log-folder", str(log.folder.absolute()), "--log-percent", str(log.percent)]
        options += ["--log-text", log.text]
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as written, ours:
        with theirs:
            process = start_server(model_dir, options, theirs, written)
        try:
            yield wait_until_ready(process, ours, written, timeout_s)
        finally:
            stop(process)


def start_server(
    model_dir: Path, options: List[str], parent: socket.socket, log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "esteira.serving.server", "--model-dir", str(model_dir.absolute()), *options]
    command += ["--port", "0", "--parent-fd", str(parent.fileno())]
    return subprocess.Popen(
        command,
        cwd=Path(esteira.__file__).parents[1],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=[parent.fileno()],
        # Ctrl-C in a terminal goes to this process alone, which then stops the server.
        start_new_session=True,
    )


def wait_until_ready(process: "subprocess.Popen[bytes]", ours: socket.socket, log: IO[bytes], timeout_s: float) -> str:
    """Return the URL that the server sends, or raise ServingError if it ends or takes too long."""
    deadline_s = time.monotonic() + timeout_s
    received = b""
    while not received.endswith(b"\n"):
        readable, _, _ = select.select([ours], [], [], max(0.0, deadline_s - time.monotonic()))
        if not readable:
            raise ServingError(f"the prediction server was not ready within {timeout_s:g} s.\n{tail_of(log)}")
        part = ours.recv(4096)
        if not part:
            status = process.wait(STOP_TIMEOUT_S)
            raise ServingError(f"the prediction server ended with status {status}.\n{tail_of(log)}")
        received += part
    return received.decode().strip()


def tail_of(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").strip().splitlines()
    return "\n".join(lines[-TAIL_LINES:]) or "It wrote nothing."


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
