"""Ending processes with their parent, and with everything that they started."""

import ctypes
import os
import signal
import time
from typing import Iterable, Set

# From linux/prctl.h.
PR_SET_PDEATHSIG = 1
GRACE_S = 1.0
POLL_S = 0.02


def die_with_parent(parent: int, number: int) -> None:
    """Let this process get signal `number` when its parent, the process `parent`, dies (Linux).

    If the parent is gone already, leave at once.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(128 + number)


def signal_group(group: int, number: int) -> None:
    """Send a signal to a process group, which may be gone."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def end_groups(groups: Iterable[int]) -> None:
    """End the process groups of children of this process: SIGTERM, and SIGKILL a second later."""
    left: Set[int] = set(groups)
    for group in left:
        signal_group(group, signal.SIGTERM)
    limit_s = time.monotonic() + GRACE_S
    while left and time.monotonic() < limit_s:
        left = {group for group in left if not is_reaped(group)}
        time.sleep(POLL_S if left else 0)
    for group in groups:
        signal_group(group, signal.SIGKILL)


def is_reaped(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG)[0] == child
    except ChildProcessError:
        return True
