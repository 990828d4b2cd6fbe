"""Starting the loader beside a server, and starting it again should it end."""

import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Optional

import esteira
from esteira.monitoring.warehouse.database import Place

# Before it is started again; twice as long each time that it has ended at once.
PAUSE_S, MAX_PAUSE_S = 1.0, 60.0
STOP_TIMEOUT_S = 10.0


class LoaderProcess:
    """A loader of its own process, which ends with this one however that ends."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._ours: Optional[socket.socket] = None
        self._process = self._start()
        self._ending = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="loader", daemon=True)
        self._watcher.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End it. What it has not loaded is loaded by whoever opens the warehouse next."""
        self._ending.set()
        self._close()
        self._watcher.join(STOP_TIMEOUT_S)
        if self._process.poll() is None:
            self._process.terminate()

    def _start(self) -> "subprocess.Popen[bytes]":
        place = self._place
        command = [sys.executable, "-m", "esteira.monitoring.warehouse.loader"]
        command += ["--folder", str(place.folder.absolute()), "--root", str(place.root.absolute())]
        command += [] if place.expiry_days is None else ["--expiry-days", str(place.expiry_days)]
        self._ours, theirs = socket.socketpair()
        with theirs:
            return subprocess.Popen(
                [*command, "--parent-fd", str(theirs.fileno())],
                cwd=Path(esteira.__file__).parents[1],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Ctrl-C in a terminal goes to the server alone.
                start_new_session=True,
            )

    def _watch(self) -> None:
        pause_s = PAUSE_S
        while True:
            status = self._process.wait()
            if self._ending.is_set():
                return
            print(
                f"The loader of the request log has ended with status {status}; no request is lost. "
                f"It starts again in {pause_s:g} s.",
                file=sys.stderr,
                flush=True,
            )
            if self._ending.wait(pause_s):
                return
            pause_s = min(2 * pause_s, MAX_PAUSE_S)
            self._close()
            self._process = self._start()
            if self._ending.is_set():
                self._close()

    def _close(self) -> None:
        if self._ours is not None:
            self._ours.close()


def start_loader(place: Place) -> LoaderProcess:
    """Start the process that carries the journal of a warehouse into its database."""
    return LoaderProcess(place)
