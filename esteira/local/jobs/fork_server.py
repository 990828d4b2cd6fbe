"""The process that starts tasks: `python -m esteira.local.jobs.fork_server FD`.

It reads requests, one JSON object a line, from the socket FD, and answers with how each
child ended. A TFX entry point is run in a forked child, after TFX was imported once, if the
request says so; any other command is executed. This process has one thread and never runs a
TensorFlow operation. It ends, with all its children and what they started, when the runner
does.

A child that is the client of a container engine does not take its container with it: its request
holds the command, `end`, that does.
"""

import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import traceback
from types import FrameType
from typing import Any, Dict, Iterable, Iterator, List, NoReturn, Optional

from esteira.local.jobs.preload import DRIVER, NEEDED, USEFUL, import_modules
from esteira.local.jobs.process_death import die_with_parent, end_groups, signal_group

RECEIVE_BYTES = 1 << 16
COMMAND_NOT_FOUND = 127
END_TIMEOUT_S = 10.0


class ForkServer:
    """Serves one runner until it closes the connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._children: Dict[int, Dict[str, Any]] = {}
        self._received = b""
        self._needed_imported = False
        self._all_imported = False
        self._imports: Optional[Iterator[str]] = None
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        for end in (self._wake_reader, self._wake_writer):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGTERM, self._end)
        self._selector.register(self._connection, selectors.EVENT_READ)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        while True:
            idle = 0 if self._imports and not self._all_imported else None
            ready = {key.fileobj for key, _ in self._selector.select(timeout=idle)}
            if self._wake_reader in ready:
                self._wake_reader.recv(RECEIVE_BYTES)
            self._reap()
            if self._connection in ready:
                for request in self._receive():
                    self._start(request)
            elif not ready and self._imports:
                self._all_imported = next(self._imports, None) is None

    def _receive(self) -> List[Dict[str, Any]]:
        received = self._connection.recv(RECEIVE_BYTES)
        if not received:
            self._end(signal.SIGTERM, None)
        *lines, self._received = (self._received + received).split(b"\n")
        return [json.loads(line) for line in lines]

    def _start(self, request: Dict[str, Any]) -> None:
        if request["fork"]:
            self._prepare_fork(request["command"])
        parent = os.getpid()
        child = os.fork()
        if not child:
            self._become_task(request, parent)
        self._children[child] = request

    def _prepare_fork(self, command: List[str]) -> None:
        """Import what the task needs; import the rest while it runs, if it runs long enough."""
        if not self._needed_imported:
            for _ in import_modules(NEEDED):
                pass
            self._needed_imported = True
        if self._imports is None and command[2] != DRIVER:
            self._imports = import_modules(USEFUL)

    def _become_task(self, request: Dict[str, Any], parent: int) -> NoReturn:
        status = 1
        try:
            die_with_parent(parent, signal.SIGKILL)
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._selector.close()
            for end in (self._connection, self._wake_reader, self._wake_writer):
                end.close()
            redirect_output(request["log"])
            os.chdir(request["cwd"])
            status = run_module(request) if request["fork"] else execute(request)
        except BaseException:
            traceback.print_exc()
        finally:
            leave(status)

    def _reap(self) -> None:
        while self._children:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                return
            # A container ends with its first process; so does all that the task started.
            signal_group(child, signal.SIGKILL)
            code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            request = self._children.pop(child)
            if code < 0:
                run_ends([request])
            self._connection.sendall(json.dumps({"id": request["id"], "status": code}).encode() + b"\n")

    def _end(self, number: int, frame: Optional[FrameType]) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_groups(list(self._children))
        run_ends(self._children.values())
        os._exit(128 + number)


def run_ends(requests: Iterable[Dict[str, Any]]) -> None:
    """Run the commands that end what children have left running elsewhere; all at a time."""
    running = [
        subprocess.Popen(
            request["end"],
            env=request["env"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        for request in requests
        if request["end"]
    ]
    for process in running:
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def redirect_output(log: str) -> None:
    """Let standard output and errors go to the end of the file `log`, and standard input be empty."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def execute(request: Dict[str, Any]) -> int:
    """Become the program of the request; return only if it cannot be run."""
    command = request["command"]
    try:
        os.execvpe(command[0], command, request["env"])
    except OSError as error:
        print(f"{command[0]}: cannot be run: {error.strerror}.", file=sys.stderr)
    return COMMAND_NOT_FOUND


def run_module(request: Dict[str, Any]) -> int:
    """Do what `python -m module arguments` does, in this process; return the exit status.

    But for one thing: the program's own name is left out of the arguments. TFX's entry point
    hands it on as an argument for Beam, and where there is one each Beam task first packs the
    whole of TFX for remote workers, which takes 3 to 6 s and is then not used.
    """
    _, _, module, *arguments = request["command"]
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = arguments
    try:
        runpy.run_module(module, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


def leave(status: int) -> NoReturn:
    """Leave without what the parent registered to happen at its exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            status = status or 1
    os._exit(status & 0xFF)


def main() -> None:
    die_with_parent(os.getppid(), signal.SIGTERM)
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        ForkServer(connection).serve()


if __name__ == "__main__":
    main()
