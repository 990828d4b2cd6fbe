"""A real bucket server on loopback, fetched once as bucket-server.txt pins it; fixtures for a conftest to import.

It honours preconditions of uploads in one request; it does not of resumable uploads and deletions, nor
does it check checksums that are sent with an upload.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Iterator

import pytest
import requests

from esteira.cache import first_writable
from esteira.data.fetch import Pin, download_folders, find_download, read_pin
from esteira.errors import ProgramError
from esteira.local.builds.child import SUPERVISOR
from esteira.process import run_program
from esteira.settings import Environment
from tests.conftest import REPOSITORY

PINS = Path(__file__).with_name("bucket-server.txt")
PROGRAM = "fake-gcs-server-linux-amd64"
START_S = 30


@pytest.fixture(scope="session")
def bucket_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the server for a session and return its URL."""
    folder = tmp_path_factory.mktemp("bucket-server")
    program = unpack(fetch_server(), folder)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    options += ["-public-host", f"127.0.0.1:{port}", "-external-url", url, "-log-level", "error"]
    # The supervisor ends the server with this process, however that ends.
    command = [sys.executable, str(SUPERVISOR), str(os.getpid()), str(program), *options]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            wait_for(url, server, folder / "log")
            yield url
        finally:
            server.terminate()
    shutil.rmtree(folder)


@pytest.fixture
def environment(bucket_server: str, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment whose bucket is empty, on the server, where the client of Cloud Storage finds it."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket_server)
    bucket = f"bucket-{secrets.token_hex(4)}"
    requests.post(f"{bucket_server}/storage/v1/b", json={"name": bucket}, timeout=START_S).raise_for_status()
    return Environment(project="demo-project", region="europe-west1", bucket=bucket, repository="images")


def fetch_server() -> Path:
    """Return the server's wheel, downloaded if no cache has it; the test fails if it cannot be had."""
    pin = read_pin(PINS)
    folders = download_folders(REPOSITORY / ".esteira", os.environ)
    found = find_download(pin, folders)
    return found or download(pin, first_writable(folders))


def download(pin: Pin, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".download-{secrets.token_hex(4)}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--python-version", "3.11", "--require-hashes"]
    try:
        run_program([*command, "--dest", str(temporary), "--requirement", str(PINS)])
        (wheel,) = temporary.iterdir()
        target = folder / pin.sha256 / wheel.name
        target.parent.mkdir(exist_ok=True)
        os.replace(wheel, target)
        return target
    except ProgramError as error:
        raise pytest.fail.Exception(
            f"{PINS}: cannot download {pin.requirement}: {error}\n"
            "Expected it in a package index, for Linux on x86_64. Connect to a network, or copy the wheel "
            f"into {folder / pin.sha256}, and run the tests again.",
            pytrace=False,
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def unpack(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        (member,) = [name for name in archive.namelist() if name.endswith(f"/{PROGRAM}")]
        program = folder / PROGRAM
        program.write_bytes(archive.read(member))
    program.chmod(0o755)
    return program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return once the server answers; fail with what it wrote if it does not."""
    limit_s = time.monotonic() + START_S
    while server.poll() is None and time.monotonic() < limit_s:
        try:
            requests.get(f"{url}/storage/v1/b", params={"project": "demo-project"}, timeout=START_S)
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail(f"{PROGRAM}: does not answer at {url}:\n{log.read_text(errors='replace')}", pytrace=False)
