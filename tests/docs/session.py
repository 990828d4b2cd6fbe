"""A shell in which a document's commands are typed one after the other."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import List, Mapping, Optional, Tuple, Type

MARK = "--- exit status"
START_S = 120.0


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port


class Session:
    """A shell that keeps its folder and its variables from one command to the next. What it starts ends with it."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._servers = []  # type: List[subprocess.Popen[bytes]]
        self._environ = dict(environ)
        self._shell = subprocess.Popen(
            ["sh"],
            cwd=folder,
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._shell.communicate()
        self.interrupt()

    def interrupt(self) -> None:
        """End what runs until it is interrupted."""
        while self._servers:
            server = self._servers.pop()
            os.killpg(server.pid, signal.SIGINT)
            server.wait(60)

    def type(self, command: str) -> Tuple[int, str]:
        """Return the exit status of a command, which gets no input, and all that it wrote."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.stdin.write(f"{{ {command}\n}} </dev/null\nended=$?; echo; echo '{MARK}' $ended\n")
        self._shell.stdin.flush()
        lines: List[str] = []
        for line in self._shell.stdout:
            if line.startswith(MARK):
                # The empty line is ours: a command may end without a line break.
                return int(line.rpartition(" ")[2]), "".join(lines)[:-1]
            lines.append(line)
        raise AssertionError(f"the shell ended at: {command}\n{''.join(lines)}")

    def serve(self, command: str, ready: str) -> str:
        """Start what runs until it is interrupted, or the next one is started; return what it writes up to `ready`."""
        self.interrupt()
        _, folder = self.type("pwd")
        log = self._folder / "server.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                ["sh", "-c", command],
                cwd=folder.strip(),
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        self._servers.append(process)
        limit_s = time.monotonic() + START_S
        while ready not in log.read_text(encoding="utf-8"):
            said = log.read_text(encoding="utf-8")
            assert process.poll() is None and time.monotonic() < limit_s, f"{command}: not ready\n{said}"
            time.sleep(0.1)
        return log.read_text(encoding="utf-8")
