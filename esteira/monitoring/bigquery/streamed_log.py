"""The request log of a server in a container: a journal on its disk, and a process that streams it into BigQuery."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple, Sequence

import esteira
from esteira.monitoring.journal.request_log import RequestLog, TextRule
from esteira.monitoring.journal.segments import JOURNAL, list_segments
from esteira.serving.answer_log import Exchange

# Small ones, since each is removed once all of it is sent.
SEGMENT_BYTES = 4 * 1024 * 1024
# While BigQuery does not take it, so much waits on the disk; what comes then is not logged.
MOST_BYTES = 1024 * 1024 * 1024
# How often the disk and the process are looked at, while requests come.
LOOK_S = 1.0
# The process is started again at once, then with pauses: to start costs a second of a processor.
PAUSE_S = 15.0
# Less than what is left of a container's time once its server has stopped.
STOP_TIMEOUT_S = 25.0


class Target(NamedTuple):
    """Where requests go: `table` is project.dataset.table; what share of them, and what becomes of their texts."""

    table: str
    project: str
    percent: int
    text: TextRule


class StreamedLog:
    """An AnswerLog, see esteira/serving/answer_log.py, whose journal lies below `folder`; `process` sends it."""

    def __init__(self, folder: Path, target: Target, *, most_bytes: int = MOST_BYTES) -> None:
        """Raises WarehouseError if nothing can be written there."""
        self._journal = folder / JOURNAL
        self._log = RequestLog(folder, percent=target.percent, text=target.text, segment_bytes=SEGMENT_BYTES)
        self._most_bytes = most_bytes
        self._target = target
        self._looked_s = time.monotonic()
        self._is_full = False
        self._started_again_s = -PAUSE_S
        self._start()

    def keep(self, answered: Sequence[Exchange]) -> None:
        """As RequestLog.keep. Raises OSError while as much waits as may."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self._look()
        if self._is_full:
            raise OSError(f"{self._journal}: {self._most_bytes:,} bytes wait to be sent to BigQuery")
        self._log.keep(answered)

    def _look(self) -> None:
        """See how much waits, and that somebody sends it."""
        self._is_full = waiting_bytes(self._journal) > self._most_bytes
        if time.monotonic() - self._started_again_s >= PAUSE_S:
            self._start_again()

    def _start_again(self) -> None:
        """Start the process if it has ended. If it cannot be started, that is told; requests are kept all the same."""
        if self.process.poll() is None:
            return
        tell(f"What sends requests to BigQuery has ended: status {self.process.returncode}")
        self._started_again_s = time.monotonic()
        self._ours.close()
        try:
            self._start()
        except OSError as error:
            tell(f"What sends requests to BigQuery cannot be started: {error.strerror}")

    def _start(self) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            self.process = start_streamer(self._journal, self._target, theirs)

    def close(self) -> None:
        """Have the rest sent, for STOP_TIMEOUT_S at most, and say what was not."""
        self._log.close()
        self._start_again()
        self._ours.close()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        left = waiting_bytes(self._journal)
        if left:
            tell(f"Not logged: up to {left:,} bytes of requests, which were not sent to BigQuery at the end")


def start_streamer(journal: Path, target: Target, parent: socket.socket) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "esteira.monitoring.bigquery.streamer", "--journal", str(journal.absolute())]
    command += ["--table", target.table, "--project", target.project, "--parent-fd", str(parent.fileno())]
    return subprocess.Popen(
        command,
        cwd=Path(esteira.__file__).parents[1],
        stdin=subprocess.DEVNULL,
        pass_fds=[parent.fileno()],
        start_new_session=True,
    )


def waiting_bytes(journal: Path) -> int:
    total = 0
    for path in list_segments(journal):
        try:
            total += os.stat(path).st_size
        except FileNotFoundError:
            continue
    return total


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
