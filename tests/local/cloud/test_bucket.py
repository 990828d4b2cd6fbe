"""The real bucket server: where its program comes from, and that it ends with whoever started it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from esteira.data.fetch import read_pin
from esteira.errors import ProgramError
from esteira.local.cloud.bucket import PINS, fetch_server, free_port, running, serve_buckets
from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.loopback, pytest.mark.programs]
TIMEOUT_S = 30


def test_it_serves_buckets_until_the_end_of_the_block() -> None:
    with serve_buckets(REPOSITORY / ".esteira", os.environ) as url:
        listed = requests.get(f"{url}/storage/v1/b", params={"project": "demo-project"}, timeout=TIMEOUT_S)
        assert listed.json() == {"kind": "storage#buckets"}
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/storage/v1/b", timeout=TIMEOUT_S)


def test_a_wheel_that_is_not_the_pinned_one_is_not_used(tmp_path: Path) -> None:
    pin = read_pin(PINS)
    wheel = tmp_path / "downloads" / pin.sha256 / "wheel.whl"
    wheel.parent.mkdir(parents=True)
    wheel.write_bytes(b"something else")
    with pytest.raises(ProgramError) as caught:
        fetch_server(tmp_path, {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1"})
    first, *_, last = str(caught.value).splitlines()
    assert first.startswith(f"{PINS}: cannot download {pin.requirement}: ")
    assert last == (
        "Expected it in a package index, for Linux on x86_64. Connect to a network, or set PIP_INDEX_URL to a "
        f"mirror, or copy the wheel into {wheel.parent}, and run the command again."
    )
    assert [path.name for path in (tmp_path / "downloads").iterdir()] == [pin.sha256]


def test_the_pinned_wheel_is_used_where_it_lies(tmp_path: Path) -> None:
    wheel = fetch_server(REPOSITORY / ".esteira", os.environ)
    here = tmp_path / "downloads" / read_pin(PINS).sha256 / wheel.name
    here.parent.mkdir(parents=True)
    shutil.copy(wheel, here)
    assert fetch_server(tmp_path, {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1"}) == here


def test_a_program_that_does_not_start_is_told(tmp_path: Path) -> None:
    program = tmp_path / "server"
    program.write_text("#!/bin/sh\necho 'no room' >&2\nexit 1\n")
    program.chmod(0o755)
    port = free_port()
    with pytest.raises(ProgramError) as caught, running(program, port, tmp_path / "log"):
        pass
    assert str(caught.value) == (
        f"fake-gcs-server-linux-amd64: does not answer on port {port} of 127.0.0.1 within 30 s:\nno room"
    )


def test_it_ends_with_a_process_that_is_killed() -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom esteira.local.cloud.bucket import serve_buckets\n"
        "with serve_buckets(Path('.esteira'), os.environ) as url:\n"
        "    print(url, flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", script]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        assert requests.get(f"{url}/storage/v1/b", timeout=TIMEOUT_S).status_code == 200
        process.send_signal(signal.SIGKILL)
    limit_s = time.monotonic() + TIMEOUT_S
    while answers(url) and time.monotonic() < limit_s:
        time.sleep(0.05)
    assert not answers(url)


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/storage/v1/b", timeout=TIMEOUT_S).ok
    except requests.ConnectionError:
        return False
