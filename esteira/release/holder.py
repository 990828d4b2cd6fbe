"""Who holds a lease: a person on a machine, and a process there that can be told to be dead.

A process is known by its number and when it started, on a machine by its last boot; and in it by its space
of process numbers, as two containers on one machine have numbers of their own. (Linux; elsewhere nothing
is known, and a lease ends by its time.)
"""

import getpass
import os
import socket
from pathlib import Path

PROC = Path("/proc")
DEAD_STATES = (b"Z", b"X")


def whoami() -> str:
    """Return user@host."""
    try:
        user = getpass.getuser()
    except KeyError:  # a number without an account, as in some containers
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def this_machine() -> str:
    """Return what names this machine since its last boot, and this space of process numbers; empty if unknown."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink(PROC / 'self/ns/pid')}"
    except OSError:
        return ""


def process_start(process: int) -> int:
    """Return when a process started, in clock ticks since the boot; 0 if it is dead or that is unknown.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        fields = (PROC / str(process) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in DEAD_STATES else int(fields[19])


def is_dead(process: int, started: int, machine: str) -> bool:
    """Return whether a process is known to be dead: it ran here, and does no more."""
    return bool(machine) and machine == this_machine() and process_start(process) != started
