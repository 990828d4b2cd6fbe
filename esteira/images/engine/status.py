"""Telling how a container ended: by the status of `docker run`, which is the container's own or the engine's."""

import signal

# Docker's own statuses, and how a shell tells of a command's end by a signal.
ENGINE_FAILED, CANNOT_RUN, NOT_FOUND, SIGNALLED = 125, 126, 127, 128


def describe_run_status(status: int, engine: str) -> str:
    """Return how a container's command ended; `status` is that of `docker run`, or minus the signal that ended it.

    Source: docs.docker.com/engine/containers/run, "Exit status"; Podman's are the same.
    """
    meanings = {
        ENGINE_FAILED: f"could not be started, as {engine} failed",
        CANNOT_RUN: "could not be started in the image",
        NOT_FOUND: "cannot be run: the image has no such program",
        SIGNALLED + signal.SIGKILL: "was killed in its container, by kill -9 or for lack of memory",
    }
    signals = {known.value: known.name for known in signal.Signals}
    if status in meanings:
        return f"{meanings[status]} (status {status} of {engine} run)"
    if -status in signals:
        return f"lost its container, as {engine} run was ended by the signal {signals[-status]}"
    if status - SIGNALLED in signals:
        return f"was ended in its container by the signal {signals[status - SIGNALLED]}"
    return f"left with status {status}"
