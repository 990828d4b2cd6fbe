"""Run a step's command as if it were alone in a container: when it ends, all that it started ends.

Started by `child.py` as a program of its own: supervise.py <parent's id> <program> [arguments].
It leaves with the command's status. It stops the command on SIGTERM and when its parent dies.
Imports as little as it can, since each step waits for it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

GRACE_S = 5
# https://man7.org/linux/man-pages/man2/prctl.2.html
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
NOT_FOUND, NOT_RUNNABLE = 127, 126


def main(parent: int, command: list[str]) -> int:
    """Run the command to its end and return its exit status."""
    ask_kernel(PR_SET_CHILD_SUBREAPER, 1)
    leader = start(command)
    stopping = [False]

    def stop(number: int, frame: object) -> None:
        stopping[0] = True
        send(signal.SIGTERM, leader)
        signal.alarm(GRACE_S)

    def kill(number: int, frame: object) -> None:
        stopping[0] = False
        send(signal.SIGKILL, leader)

    signal.signal(signal.SIGALRM, kill)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ask_kernel(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the kernel was asked to tell
        os.kill(os.getpid(), signal.SIGTERM)
    status = wait_for(leader, stopping)
    signal.alarm(0)
    end_orphans()
    return status


def start(command: list[str]) -> int:
    """Start the command as the leader of a process group and return its id."""
    supervisor = os.getpid()
    leader = os.fork()
    if leader:
        return leader
    os.setpgid(0, 0)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores, and programs don't expect
        signal.signal(number, signal.SIG_DFL)
    ask_kernel(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(NOT_RUNNABLE)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: cannot be run: {error.strerror}\n".encode("utf-8", "surrogateescape"))
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUNNABLE)


def wait_for(leader: int, stopping: list[bool]) -> int:
    """Return the leader's exit status; while stopping, wait for all that is left too."""
    status: int | None = None
    while status is None or stopping[0]:
        try:
            ended, code = os.waitpid(-1, 0)
        except ChildProcessError:
            break
        if ended == leader:
            status = 128 + os.WTERMSIG(code) if os.WIFSIGNALED(code) else os.WEXITSTATUS(code)
    return NOT_RUNNABLE if status is None else status


def end_orphans() -> None:
    """Kill what is left, also what has left the process group: it became our child."""
    while True:
        for child in children():
            send_one(signal.SIGKILL, child)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def children() -> list[int]:
    """Return the processes whose parent we are; none where there is no /proc."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stream:
                    parent = int(stream.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
            if parent == os.getpid():
                found.append(int(name))
    return found


def send(number: int, leader: int) -> None:
    """Send a signal to the leader's group, and to the orphans that have left it."""
    try:
        os.killpg(leader, number)
    except OSError:
        send_one(number, leader)
    for child in children():
        if child != leader:
            send_one(number, child)


def send_one(number: int, process: int) -> None:
    try:
        os.kill(process, number)
    except OSError:
        return  # it has just ended


def ask_kernel(option: int, value: int) -> None:
    """Call prctl where there is one (Linux); elsewhere the process group has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
