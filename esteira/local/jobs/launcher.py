"""Starting the commands of tasks, and hearing how they ended."""

import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Set

from esteira.errors import ImageError, ProgramError
from esteira.local.jobs.containers import Containers
from esteira.local.jobs.preload import can_fork

END_TIMEOUT_S = 5.0
# Where the package esteira lies, which need not be the repository whose job is run.
PACKAGES = Path(__file__).resolve().parents[3]
# Under this name the end of the server itself is reported.
SERVER = ""
# Programs that a job's image holds, and that are this very interpreter here.
PYTHONS = ("python", "python3")
# Read when TensorFlow, Arrow and OpenBLAS are imported, so that no thread exists before a fork.
SERVER_ENV = {"OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
TASK_ENV = {"PYTHONUNBUFFERED": "1", "TF_CPP_MIN_LOG_LEVEL": "1", "PYTHONWARNINGS": "ignore::FutureWarning"}


@dataclass(frozen=True)
class Ended:
    """A command that ended. `status` is its exit status, or minus the signal that ended it.

    `with_server`: it ended because the server did, whose status this is.
    """

    name: str
    status: int
    with_server: bool = False


class Launcher:
    """Starts commands in processes of their own. A context manager: what still runs at its end is ended.

    `containers`: the commands run in these, and the processes are the engine's clients.
    """

    def __init__(self, root: Path, isolation: str, log: Path, containers: Optional[Containers] = None) -> None:
        self._root = root
        self._forks = isolation == "fork"
        self._containers = containers
        self.log = log
        self._ended: queue.Queue[Ended] = queue.Queue()
        self._running: Set[str] = set()
        self._server: Optional[subprocess.Popen[bytes]] = None
        self._connection: Optional[socket.socket] = None

    def __enter__(self) -> "Launcher":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def engine(self) -> str:
        """The program that runs tasks in containers, "" if none does."""
        return self._containers.engine.program if self._containers else ""

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        """Start a command under a name; its output goes to the end of `log`."""
        if self._server is None:
            self._start_server()
        request = {"id": name, "cwd": str(self._root), "log": str(log), **self._request(command, env)}
        self._running.add(name)
        assert self._connection is not None
        try:
            self._connection.sendall(json.dumps(request).encode("utf-8") + b"\n")
        except OSError:
            # The server is gone; the thread that listens to it says so.
            return

    def wait(self) -> Ended:
        """Return the next command that ended; wait for it."""
        ended = self._ended.get()
        if ended.name == SERVER:
            # Its children ended with it, by the signal that it died of.
            self.close()
            for name in sorted(self._running):
                self._ended.put(Ended(name, ended.status, with_server=True))
            return self.wait()
        self._running.discard(ended.name)
        return ended

    def _request(self, command: Sequence[str], env: Mapping[str, str]) -> Dict[str, Any]:
        if self._containers:
            return {"fork": False, **self._containers.request(command, {**TASK_ENV, **env})}
        python = [sys.executable] if command[0] in PYTHONS else [command[0]]
        return {
            "command": [*python, *command[1:]],
            "end": [],
            "env": {**self._environment(), **env},
            "fork": self._forks and command[0] in PYTHONS and can_fork(command),
        }

    def _environment(self, *packages: Path) -> Dict[str, str]:
        inherited = dict(os.environ)
        path = [str(self._root), *map(str, packages), *filter(None, [inherited.get("PYTHONPATH")])]
        programs = [str(Path(sys.executable).parent), *filter(None, [inherited.get("PATH")])]
        return {
            **TASK_ENV,
            **inherited,
            "PATH": os.pathsep.join(programs),
            "PYTHONPATH": os.pathsep.join(path),
        }

    def _start_server(self) -> None:
        """Start the server, in a session of its own: Ctrl-C on a terminal is for the runner only."""
        ours, theirs = socket.socketpair()
        with theirs, self.log.open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "esteira.local.jobs.fork_server", str(theirs.fileno())],
                cwd=self._root,
                env={**self._environment(PACKAGES), **SERVER_ENV},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._connection = ours
        threading.Thread(target=self._listen, args=(ours, self._server), daemon=True).start()

    def _listen(self, connection: socket.socket, server: "subprocess.Popen[bytes]") -> None:
        with connection.makefile("r", encoding="utf-8") as lines:
            try:
                for line in lines:
                    answer = json.loads(line)
                    self._ended.put(Ended(answer["id"], answer["status"]))
            except OSError:
                pass
        self._ended.put(Ended(SERVER, server.wait()))

    def close(self) -> None:
        """End the server, and with it all that runs."""
        if self._server is None or self._connection is None:
            return
        self._server.terminate()
        try:
            self._server.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._connection.close()
        self._server = self._connection = None
        if self._containers:
            # Those that the server, which may have been killed, has not ended. What stays, the next run removes.
            with contextlib.suppress(ProgramError, ImageError):
                self._containers.remove()
