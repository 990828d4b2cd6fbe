"""A server in front of the bucket server that keeps what is asked, and answers some of it otherwise."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Iterator, List, Mapping, NamedTuple, Union

import requests

TIMEOUT_S = 30
# Headers of one connection, which say nothing of the next one.
HOP = ("connection", "content-length", "date", "host", "server", "transfer-encoding")


class Request(NamedTuple):
    method: str
    path: str
    body: bytes


class Answer(NamedTuple):
    """An answer in place of the server's; with `after` the server has done what was asked."""

    status: int
    message: str = ""
    after: bool = False


class Damage(NamedTuple):
    """What becomes of a text on its way to the server and back."""

    old: bytes
    new: bytes


Judge = Callable[[Request], Union[Answer, Damage, None]]


class Front(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behind: str, judge: Judge) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind = behind
        self.judge = judge
        self.requests: List[Request] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Front

    def do(self) -> None:
        request = Request(self.command, self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.server.requests.append(request)
        judged = self.server.judge(request)
        if isinstance(judged, Answer):
            if judged.after:
                self.forward(request)
            error = {"error": {"code": judged.status, "message": judged.message}}
            self.answer(judged.status, json.dumps(error).encode(), {"Content-Type": "application/json"})
        else:
            damage = judged or Damage(b"", b"")
            given = self.forward(request._replace(body=request.body.replace(*damage)))
            self.answer(given.status_code, given.content.replace(*damage), given.headers)

    def forward(self, request: Request) -> requests.Response:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        url = self.server.behind + request.path
        return requests.request(request.method, url, data=request.body, headers=headers, timeout=TIMEOUT_S)

    do_GET = do_POST = do_PUT = do_DELETE = do

    def answer(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in HOP:
                self.send_header(name, value.replace(self.server.behind, self.server.url))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Keep the tests' output free of requests."""


@contextmanager
def front_of(behind: str, judge: Judge = lambda request: None) -> Iterator[Front]:
    """Run a front until the end of the block."""
    with Front(behind, judge) as front:
        thread = threading.Thread(target=front.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield front
        front.shutdown()
        thread.join()
