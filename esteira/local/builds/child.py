"""A step's running process: what it prints is read line by line until all of it has ended."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Callable, List, Mapping, Optional

from esteira.files import telling_os_errors

SUPERVISOR = Path(__file__).with_name("supervise.py")
LINE_BYTES = 65536
# What would move a terminal's cursor or change its colours.
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")

Tell = Callable[[str], None]
Ended = Callable[[Optional[int], Optional[BaseException]], None]


class Child:
    """A command with its log.

    Start it from a thread that outlives it: the kernel ends the command when that thread dies.
    """

    def __init__(self, command: List[str], folder: Path, variables: Mapping[str, str], log: Path) -> None:
        with telling_os_errors("write the log", log):
            self._log = log.open("wb", buffering=0)
        self._path = log
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SUPERVISOR), str(os.getpid()), *command],
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C on the terminal reaches us alone, who end it in order
        )

    def follow(self, tell: Tell, ended: Ended) -> None:
        """Pass on each line in a thread of its own, then the exit status or what went wrong."""
        threading.Thread(target=self._follow, args=(tell, ended), daemon=True).start()

    def stop(self) -> None:
        """Ask the command and all that it started to end; after a time of grace they are killed."""
        self._process.terminate()

    def _follow(self, tell: Tell, ended: Ended) -> None:
        fault: Optional[BaseException] = None
        stream = self._process.stdout
        assert stream is not None
        with self._log, stream:
            try:
                self._pass_on(stream, tell)
            except BaseException as error:  # told to the thread that waits
                fault = error
                self.stop()
                drain(stream)
        ended(self._process.wait(), fault)

    def _pass_on(self, stream: IO[bytes], tell: Tell) -> None:
        for raw in iter(lambda: stream.readline(LINE_BYTES), b""):
            with telling_os_errors("write the log", self._path):
                self._log.write(raw)
            tell(printable(raw))


def printable(raw: bytes) -> str:
    """Return a line as text without control characters; of a redrawn line its last state."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n").rpartition("\r")[2]
    return CONTROL.sub("", text)


def drain(stream: IO[bytes]) -> None:
    while stream.read(LINE_BYTES):
        pass
