"""Debian's container registry on loopback, and fronts that break what it answers; fixtures for a conftest to import."""

import crypt
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, NamedTuple

import pytest
import requests
import yaml

from esteira.local.builds.child import SUPERVISOR
from tests.bucket_server import free_port
from tests.programs import require_program

PROGRAM = "docker-registry"
START_S = 30
USER, PASSWORD = "ana", "senha-de-teste"


class RegistryServer(NamedTuple):
    """A running registry: host:port, the folder that holds its storage, and its log."""

    host: str
    folder: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://{self.host}"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryServer]:
    """An empty registry that is open for all."""
    with run_registry(tmp_path / "registry") as server:
        yield server


@pytest.fixture
def password_registry(tmp_path: Path) -> Iterator[RegistryServer]:
    """An empty registry that asks for USER and PASSWORD."""
    folder = tmp_path / "password-registry"
    folder.mkdir()
    hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
    (folder / "htpasswd").write_text(f"{USER}:{hashed}\n")
    auth = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    with run_registry(folder, {"auth": auth}) as server:
        yield server


@contextmanager
def run_registry(folder: Path, more: Dict[str, Any] = {}) -> Iterator[RegistryServer]:  # noqa: B006
    """Run a registry with its storage in `folder`, its settings with `more`, until the block ends."""
    program = require_program(PROGRAM, "docker-registry")
    folder.mkdir(exist_ok=True)
    server = RegistryServer(f"127.0.0.1:{free_port()}", folder, folder / "log")
    settings = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": False}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}, "delete": {"enabled": True}},
        "http": {"addr": server.host, "secret": "one of no importance"},
        **more,
    }
    (folder / "config.yml").write_text(yaml.safe_dump(settings))
    # The supervisor ends the registry with this process, however that ends.
    command = [sys.executable, str(SUPERVISOR), str(os.getpid()), program, "serve", str(folder / "config.yml")]
    with server.log.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_for(server, process)
            yield server
        finally:
            process.terminate()


def wait_for(server: RegistryServer, process: "subprocess.Popen[bytes]") -> None:
    """Return once the registry answers; fail with what it wrote if it does not."""
    limit_s = time.monotonic() + START_S
    session = requests.Session()
    session.trust_env = False
    while process.poll() is None and time.monotonic() < limit_s:
        try:
            session.get(f"{server.url}/v2/", timeout=START_S)
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail(f"{PROGRAM}: does not answer at {server.url}:\n{server.log.read_text(errors='replace')}", pytrace=False)
