"""Fetching wheels into a store, with the real pip and a folder as its index."""

import http.server
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Dict, Iterator, List

import pytest

from esteira.cache import hash_file
from esteira.errors import ImageError
from esteira.images.wheels.locked import Wheel, wheels_of
from tests.conftest import REPOSITORY
from tests.images.wheels.toys import lock_of, make_wheel, toy_environ, toy_store, wheels_line

pytestmark = pytest.mark.programs
PLATFORM = "linux/amd64 (CPython 3.8, glibc 2.28)"
WAY_OUT = "Connect to a network, or set PIP_INDEX_URL or PIP_FIND_LINKS to a mirror that has it, and run: make wheels"
FILES = ["toyone", "toytwo"]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    for name in FILES:
        make_wheel(folder, name)
    return folder


@pytest.fixture
def lock(tmp_path: Path, index: Path) -> Path:
    paths = sorted(index.iterdir())
    path = tmp_path / "requirements.lock"
    path.write_text(lock_of(*paths))
    path.with_suffix(".wheels").write_text("".join(map(wheels_line, paths)))
    return path


@pytest.fixture
def wheels(lock: Path) -> List[Wheel]:
    return wheels_of(lock)


def kept(folder: Path) -> List[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_wheels_are_fetched_once_for_all_clones(tmp_path: Path, index: Path, wheels: List[Wheel]) -> None:
    store = toy_store(tmp_path, index)
    assert store.find(wheels[0]) is None
    store.fetch_missing(wheels)
    assert store.folder == tmp_path / "the cache" / "esteira" / "wheels"
    assert kept(store.folder) == sorted(f"{wheel.sha256}/{wheel.file}" for wheel in wheels)
    assert [hash_file(store.path(wheel)) for wheel in wheels] == [wheel.sha256 for wheel in wheels]
    shutil.rmtree(index)
    store.fetch_missing(wheels)


def test_a_folder_of_links_holds_these_wheels_alone(tmp_path: Path, index: Path, wheels: List[Wheel]) -> None:
    store = toy_store(tmp_path, index)
    store.fetch_missing(wheels)
    links = store.links(wheels[:1])
    assert [path.name for path in links.iterdir()] == [wheels[0].file]
    assert hash_file(links / wheels[0].file) == wheels[0].sha256
    assert store.links(wheels[:1]) == links != store.links(wheels)


def test_a_wheel_that_is_not_here_is_told(tmp_path: Path, index: Path, wheels: List[Wheel]) -> None:
    store = toy_store(tmp_path, index)
    with pytest.raises(ImageError) as raised:
        store.path(wheels[0])
    assert str(raised.value) == (
        f"{wheels[0].place}: toyone-1.0-py3-none-any.whl is not in {store.folder}. Run: make wheels"
    )


def test_without_a_cache_the_state_folder_is_used(tmp_path: Path, index: Path, wheels: List[Wheel]) -> None:
    (tmp_path / "the cache").write_text("no folder")
    store = toy_store(tmp_path, index)
    store.fetch_missing(wheels)
    assert store.path(wheels[0]) == tmp_path / "state" / "wheels" / wheels[0].sha256 / wheels[0].file


def test_other_bytes_are_refused(tmp_path: Path, index: Path, wheels: List[Wheel]) -> None:
    tampered = make_wheel(index, "toytwo", content="VALUE = 2\n")
    store = toy_store(tmp_path, index)
    with pytest.raises(ImageError) as raised:
        store.fetch_missing(wheels)
    assert str(raised.value).splitlines() == [
        f"{wheels[1].place}: toytwo==1.0: {tampered.name} was found with other bytes: sha256:{hash_file(tampered)}.",
        f"Expected sha256:{wheels[1].sha256}. Somebody changed the file, or the index is not to be trusted.",
        "Name the right index (PIP_INDEX_URL, PIP_FIND_LINKS), and run: make wheels",
    ]
    assert kept(store.folder) == []


def test_a_wheel_that_no_index_has_is_told(tmp_path: Path, index: Path, wheels: List[Wheel]) -> None:
    (index / wheels[1].file).unlink()
    make_wheel(index, "toytwo", tag="cp38-cp38-win_amd64")
    with pytest.raises(ImageError) as raised:
        toy_store(tmp_path, index).fetch_missing(wheels)
    assert str(raised.value).splitlines() == [
        f"{wheels[1].place}: toytwo==1.0: no index has its wheel for {PLATFORM}.",
        f"Expected toytwo-1.0-py3-none-any.whl with the hash sha256:{wheels[1].sha256}.",
        WAY_OUT,
    ]


def fill(lock: Path, environ: Dict[str, str]) -> "subprocess.Popen[str]":
    """Start what a set-up starts."""
    return subprocess.Popen(
        [sys.executable, "-m", "esteira.images.wheels.fill", lock.name],
        cwd=lock.parent,
        env={**environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


def test_two_processes_may_fill_one_store(tmp_path: Path, index: Path, lock: Path, wheels: List[Wheel]) -> None:
    started = [fill(lock, toy_environ(tmp_path, index)) for _ in range(2)]
    ended = [process.communicate() for process in started]
    store = toy_store(tmp_path, index)
    assert [process.returncode for process in started] == [0, 0], ended
    assert [out for out, _ in ended] == [f"{store.links(wheels)}\n"] * 2
    assert [hash_file(store.path(wheel)) for wheel in wheels] == [wheel.sha256 for wheel in wheels]
    assert list((store.folder / "scratch").iterdir()) == []


@pytest.fixture
def stalling_index(index: Path) -> Iterator[str]:
    """A package index that sends half of a file, and then nothing until the test ends."""
    done = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = self.path.strip("/").split("/")
            if parts[0] == "simple":
                (file,) = index.glob(f"{parts[1]}-*")
                self.answer(f'<!DOCTYPE html><a href="/files/{file.name}">{file.name}</a>'.encode(), "text/html")
            else:
                content = (index / parts[-1]).read_bytes()
                self.answer(content[: len(content) // 2], "application/zip", len(content))
                done.wait(60)

        def answer(self, content: bytes, kind: str, size: int = 0) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(size or len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    done.set()
    server.shutdown()
    server.server_close()


@pytest.mark.loopback
def test_a_killed_fetch_leaves_scratch_that_the_next_one_clears(
    tmp_path: Path, index: Path, lock: Path, wheels: List[Wheel], stalling_index: str
) -> None:
    environ = toy_environ(tmp_path, index)
    stalled = {**environ, "PIP_INDEX_URL": stalling_index, "PIP_NO_INDEX": "0", "PIP_FIND_LINKS": ""}
    store = toy_store(tmp_path, index)
    process = fill(lock, stalled)
    while not list((store.folder / "scratch").glob("*/chunk-0/pip-*")) and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert [path.name for path in store.folder.iterdir()] == ["scratch"]
    assert len(list((store.folder / "scratch").iterdir())) == 1
    store.fetch_missing(wheels)
    assert list((store.folder / "scratch").iterdir()) == []
    assert all(store.find(wheel) for wheel in wheels)


def test_a_full_disk_is_told(tmp_path: Path, index: Path, lock: Path) -> None:
    big = make_wheel(index, "toytwo", content="#" * 3_000_000)
    lock.write_text(lock_of(big))
    lock.with_suffix(".wheels").write_text(wheels_line(big))
    small = tmp_path / "the cache"
    small.mkdir()
    script = 'mount -t tmpfs -o size=1m tmpfs "$1" && shift && exec "$@"'
    unshare = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", str(small)]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no file system can be mounted here")
    answer = subprocess.run(
        [*unshare, sys.executable, "-m", "esteira.images.wheels.fill", lock.name],
        cwd=lock.parent,
        env={**toy_environ(tmp_path, index), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        encoding="utf-8",
    )
    assert answer.returncode == 12, answer.stderr
    told = answer.stderr.splitlines()
    assert told[1].startswith(f"{small}/esteira/wheels/scratch/")
    assert told[1].endswith(": cannot write: No space left on device.")
    assert told[2].startswith("Expected a writable folder with free space. Free some space")
