"""Telling why a task failed: how its command ended, and the end of its log."""

import signal
from pathlib import Path

from esteira.images.engine.status import describe_run_status

TAIL_LINES = 20
TAIL_BYTES = 1 << 16


def describe_failure(task: str, phase: str, status: int, log: Path, engine: str = "") -> str:
    """Return what a user needs to know of a command that ended badly; `engine`: it ran in a container."""
    what = "driver" if phase == "driver" else "command"
    how = describe_run_status(status, engine) if engine else describe_status(status)
    return f"task {task}: its {what} {how}.\n{describe_log(log)}"


def describe_server_end(task: str, status: int, log: Path) -> str:
    """Return what a user needs to know when the process that starts tasks ended."""
    return f"task {task}: the process that starts tasks {describe_status(status)}.\n{describe_log(log)}"


def describe_status(status: int) -> str:
    if status >= 0:
        return f"left with status {status}"
    name = signal.Signals(-status).name
    reason = " (kill -9, or the system ran out of memory)" if name == "SIGKILL" else ""
    return f"was ended by the signal {name}{reason}"


def describe_log(log: Path) -> str:
    tail = read_tail(log)
    if not tail:
        return f"Its log is empty: {log}"
    return f"The end of its log:\n{tail}\nThe whole log: {log}"


def read_tail(log: Path) -> str:
    """Return the last lines of a log that are not blank, indented; "" if there are none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - TAIL_BYTES))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines()[-TAIL_LINES:])
