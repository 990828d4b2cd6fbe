"""Clients that a server has to bear, over real sockets on the real process."""

import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Iterator, List, Sequence
from urllib.parse import urlsplit

import pytest

from esteira.errors import WarehouseError
from tests.conftest import REPOSITORY
from tests.serving.test_app import samples
from tests.serving.toy_folder import save_toy_model

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]

PREDICT = "/v1/models/toy:predict"
WAIT_S = 60
# Until what is dropped has been read.
SETTLED_S = 1
MB = 1 << 20
ROW = b'{"instances": ["good"]}'
SERVER = ("-m", "esteira.serving.server")


class Server:
    """The real server on a toy model that is started with `options`."""

    def __init__(self, model_dir: Path, *options: str, program: Sequence[str] = SERVER) -> None:
        command = [sys.executable, *program, "--model-dir", str(model_dir), "--name", "toy"]
        self.process = subprocess.Popen(
            [*command, "--port", "0", *options], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().decode().split(" at ")[1].split()[0]

    def connect(self) -> socket.socket:
        parts = urlsplit(self.url)
        return socket.create_connection((parts.hostname, parts.port), timeout=WAIT_S)

    def get(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=WAIT_S)
        connection.request("GET", path)
        return connection.getresponse()

    def metric(self, name: str) -> float:
        return samples(self.get("/metrics").read().decode()).get(name, 0)

    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a model") / "1732300000"
    save_toy_model(folder)
    return folder


@pytest.fixture(scope="module")
def server(model_dir: Path) -> Iterator[Server]:
    server = Server(model_dir, "--timeout-s", "1")
    with server.process:
        try:
            yield server
        finally:
            server.process.kill()


def head(length: int, *more: str) -> bytes:
    return "\r\n".join([f"POST {PREDICT} HTTP/1.1", "host: x", f"content-length: {length}", *more, "", ""]).encode()


def answer_of(client: socket.socket) -> bytes:
    """Return all that the server sends until it closes the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while True:
            part = client.recv(65536)
            if not part:
                break
            received += part
    return received


def test_a_body_that_trickles_in_is_cut_off(server: Server) -> None:
    with server.connect() as client:
        client.sendall(head(100) + b'{"instances"')
        answer = answer_of(client)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b'{"error":"body: had not arrived within 1 s"}' in answer


def test_a_head_that_trickles_in_is_cut_off(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"POST /v1/models/toy:predict HTTP/1.1\r\nhost:")
        answer = answer_of(client)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert answer.endswith(b'{"error":"headers: had not arrived within 1 s"}')


def test_a_client_that_says_nothing_is_cut_off(server: Server) -> None:
    with server.connect() as client:
        assert answer_of(client) == b""


def test_a_connection_that_rests_between_two_requests_is_kept(server: Server) -> None:
    with server.connect() as client:
        for _ in range(2):
            client.sendall(head(len(ROW)) + ROW)
            assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
            time.sleep(2.5)


def test_endless_headers_are_refused(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
        with suppress(OSError):
            for _ in range(100):
                client.sendall(b"x-endless: " + b"x" * 8192 + b"\r\n")
        answer = answer_of(client)
    # The client may still have been sending when the connection was closed.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert server.get("/healthz").status == 200


CHUNKED = "\r\n".join(["POST {} HTTP/1.1", "host: x", "transfer-encoding: chunked", "", "{:x}", "{}", "0", ""])


def chunked(path: str) -> bytes:
    """Return a request that lacks the end of its trailers alone."""
    return CHUNKED.format(path, len(ROW), ROW.decode()).encode()


@pytest.mark.parametrize("path", [PREDICT, "/nothing"])
@pytest.mark.parametrize("trailer", [b"x-a: " + b"y" * 8192 + b"\r\n", b"y" * 8192])
def test_endless_trailers_are_cut_off(server: Server, path: str, trailer: bytes) -> None:
    with server.connect() as client, pytest.raises(OSError):
        client.sendall(chunked(path) + b"x-first: ")
        for _ in range(8192):
            client.sendall(trailer)


def test_a_trailer_is_no_header(server: Server) -> None:
    with server.connect() as client:
        client.sendall(chunked(PREDICT))
        time.sleep(0.2)
        client.sendall(b"content-encoding: gzip\r\nexpect: 100-continue\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_body_in_many_small_chunks_is_answered(server: Server) -> None:
    padded = ROW + b" " * 40_000
    with server.connect() as client:
        client.sendall(CHUNKED.split("{:x}")[0].format(PREDICT).encode())
        client.sendall(b"".join(b"1\r\n%c\r\n" % byte for byte in padded) + b"0\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n",
        b"POST /nothing HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n",
    ],
)
def test_nothing_keeps_a_connection_that_is_answered_for_ever(model_dir: Path, sent: bytes) -> None:
    """Empty lines, or a body that nobody reads, trickle in after the answer."""
    short = "import sys; from esteira.serving import server, stoppable; stoppable.KEEP_ALIVE_S = 2;"
    short += "sys.exit(server.main(sys.argv[1:]))"
    server = Server(model_dir, program=["-c", short])
    trickle = b"\r\n" if b"length" not in sent and b"chunked" not in sent else b"1\r\nx\r\n"
    with server.process, server.connect() as client:
        try:
            client.sendall(sent)
            assert client.recv(65536).startswith(b"HTTP/1.1 ")
            deadline_s = time.monotonic() + WAIT_S
            with pytest.raises(OSError):
                while time.monotonic() < deadline_s:
                    client.sendall(trickle)
                    time.sleep(0.1)
        finally:
            server.process.kill()


def test_what_is_no_http_is_refused_in_json_and_written_nowhere(model_dir: Path) -> None:
    server = Server(model_dir)
    upgrade = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    with server.process:
        with server.connect() as client:
            client.sendall(b"nonsense\r\n\r\n")
            answer = answer_of(client)
        with server.connect() as client:
            client.sendall(upgrade + b"more")
            upgraded = answer_of(client)
        server.process.send_signal(signal.SIGTERM)
        _, errors = server.process.communicate(timeout=WAIT_S)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n")
    assert answer.endswith(b'{"error":"request: is malformed; expected HTTP/1.1"}')
    assert upgraded.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in upgraded
    assert errors == b""


def test_many_requests_at_once_are_answered_each(server: Server) -> None:
    """As a client sends them that waits for no answer: what is read at once ends within a head."""
    asked = b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-padding: " + b"x" * 500 + b"\r\n\r\n"
    received = b""
    with server.connect() as client:
        sending = threading.Thread(target=client.sendall, args=(asked * 2000,))
        sending.start()
        while received.count(b"HTTP/1.1 200 OK") < 2000:
            part = client.recv(65536)
            assert part
            received += part
        sending.join()
    assert received.count(b"HTTP/1.1") == 2000


def test_a_client_that_leaves_is_counted_and_holds_nothing(server: Server) -> None:
    name = 'esteira_requests_total{route="/v1/models:predict",status="499",version=""}'
    before = server.metric(name)
    with server.connect() as client:
        client.sendall(head(100) + b'{"instances"')
    deadline_s = time.monotonic() + WAIT_S
    while server.metric(name) == before and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert server.metric(name) == before + 1
    assert server.metric("esteira_held_body_bytes") == 0


def test_memory_is_bounded_however_many_large_bodies_arrive_at_once(model_dir: Path) -> None:
    """Each of 300 clients sends 2 MB and keeps the last bytes back: 600 MB in all, of which 64 MB may be held."""
    server = Server(model_dir, "--max-body-mb", "2", "--timeout-s", "60")
    statuses: List[int] = []
    body = b'{"instances": ["' + b"x" * (2 * MB - 100)
    everybody_sent = threading.Barrier(301, timeout=WAIT_S)

    def send() -> None:
        with server.connect() as client:
            with suppress(OSError):
                client.sendall(head(len(body) + 3) + body)
            everybody_sent.wait()
            with suppress(OSError):
                client.sendall(b'"]}')
            answer = http.client.HTTPResponse(client)
            answer.begin()
            statuses.append(answer.status)

    with server.process:
        try:
            before_mb = server.rss_mb()
            clients = [threading.Thread(target=send) for _ in range(300)]
            for client in clients:
                client.start()
            everybody_sent.wait()
            held_mb = server.metric("esteira_held_body_bytes") / MB
            peak_mb = server.rss_mb() - before_mb
            time.sleep(SETTLED_S)
            grown_mb = server.rss_mb() - before_mb
            for client in clients:
                client.join()
        finally:
            server.process.kill()
    assert 0 < held_mb <= 64
    # Beside what is held, each connection has a buffer of its own; what is dropped passes through them meanwhile.
    assert grown_mb < 300
    assert peak_mb < 450
    assert len(statuses) == 300 and set(statuses) == {200, 429}


def test_a_second_signal_ends_the_server_at_once(model_dir: Path) -> None:
    server = Server(model_dir)
    with server.process, server.connect() as client:
        client.sendall(head(100) + b'{"instances"')
        while not server.metric("esteira_held_body_bytes"):
            time.sleep(0.05)
        server.process.send_signal(signal.SIGTERM)
        # It waits for the rest of that body, for as long as a request may take.
        time.sleep(0.5)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=WAIT_S) == 128 + signal.SIGTERM


def test_a_server_that_cannot_finish_is_ended_by_the_kernel(model_dir: Path) -> None:
    """A thread that keeps the interpreter to itself stands for whatever holds it up."""
    held = "import re, sys; from esteira.serving import server, stoppable; stoppable.SPARE_S = 1.0;"
    held += "server.Reloader.stop = lambda self: re.match(r'(a+)+b', 'a' * 64); sys.exit(server.main(sys.argv[1:]))"
    command = [sys.executable, "-c", held, "--model-dir", str(model_dir), "--name", "toy", "--port", "0"]
    process = subprocess.Popen([*command, "--timeout-s", "1"], cwd=REPOSITORY, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Serving toy version 1732300000 at ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=WAIT_S) == -signal.SIGALRM


def test_what_the_log_holds_is_what_was_answered(model_dir: Path, tmp_path: Path) -> None:
    server = Server(model_dir, "--log-folder", str(tmp_path / "warehouse"))
    with server.process:
        with server.connect() as client:
            client.sendall(head(len(ROW)) + ROW)
            assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        assert server.metric("esteira_log_records_total") == 1
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=WAIT_S) == 0
    journal = b"".join(path.read_bytes() for path in (tmp_path / "warehouse").rglob("*") if path.is_file())
    assert ROW in journal


def test_a_log_that_cannot_be_opened_is_told_at_the_start(model_dir: Path, tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("", encoding="ascii")
    command = [sys.executable, "-m", "esteira.serving.server", "--model-dir", str(model_dir), "--name", "toy"]
    command += ["--port", "0", "--log-folder", str(taken)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, encoding="utf-8", timeout=WAIT_S)
    assert ended.returncode == WarehouseError.exit_code
    assert ended.stderr.startswith(f"{taken}")
