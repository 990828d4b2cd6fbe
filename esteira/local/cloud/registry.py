"""The real container registry on this machine, standing for Artifact Registry: Debian's docker-registry."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from esteira.errors import ProgramError
from esteira.files import write_text
from esteira.local.builds.child import SUPERVISOR
from esteira.local.cloud.bucket import free_port

PROGRAM = "docker-registry"
HINT = "Install it: apt-get install docker-registry"
START_S = 30
POLL_S = 0.05


@contextmanager
def serve_registry(folder: Path) -> Iterator[str]:
    """Run a registry with its storage in `folder` until the end of the block; yield its host:port.

    Raises ProgramError if it is not installed or does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    host, config = f"127.0.0.1:{free_port()}", folder / "config.yml"
    settings = {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}, "delete": {"enabled": True}},
        "http": {"addr": host, "secret": "one of no importance"},
    }
    write_text(config, json.dumps(settings))  # which YAML holds
    # The supervisor ends the registry with this process, however that ends.
    command = [sys.executable, "-I", "-S", str(SUPERVISOR), str(os.getpid()), PROGRAM, "serve", str(config)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_for(host, process, folder / "log")
            yield host
        finally:
            process.terminate()


def wait_for(host: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    name, _, port = host.partition(":")
    limit_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < limit_s:
        try:
            socket.create_connection((name, int(port)), timeout=START_S).close()
            return
        except ConnectionError:
            time.sleep(POLL_S)
    wrote = log.read_text(encoding="utf-8", errors="replace").strip()
    raise ProgramError(f"{PROGRAM}: does not answer at {host}:\n{wrote}\n{HINT}")
