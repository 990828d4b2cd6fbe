"""Telling why a task failed: how its command ended, and the end of its log."""

import signal
from pathlib import Path

TAIL_LINES = 20
TAIL_BYTES = 1 << 16
# Statuses of `docker run`: its own, and how a shell tells of a command's end by a signal.
ENGINE_FAILED, CANNOT_RUN, NOT_FOUND, SIGNALLED = 125, 126, 127, 128


def describe_failure(task: str, phase: str, status: int, log: Path, engine: str = "") -> str:
    """Return what a user needs to know of a command that ended badly; `engine`: it ran in a container."""
    what = "driver" if phase == "driver" else "command"
    how = describe_container_status(status, engine) if engine else describe_status(status)
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


def describe_container_status(status: int, engine: str) -> str:
    """Return what the status of `docker run` tells: the container's own, or the engine's.

    Source: docs.docker.com/engine/containers/run, "Exit status"; Podman's are the same.
    """
    meanings = {
        ENGINE_FAILED: f"could not be started: {engine} failed",
        CANNOT_RUN: "cannot be run: the image has it, but not as a program",
        NOT_FOUND: "cannot be run: the image does not have it",
        SIGNALLED + signal.SIGKILL: "was killed in its container (by kill -9, or out of memory)",
    }
    if status in meanings:
        return f"{meanings[status]} (status {status} of {engine} run)"
    if status < 0:
        return f"lost its container: {engine} run {describe_status(status)}"
    names = {SIGNALLED + known.value: known.name for known in signal.Signals}
    if status in names:
        return f"was ended in its container by the signal {names[status]}"
    return describe_status(status)


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
