"""The stand-in of Google's APIs: one server on this machine, which checks each body by Google's own descriptions.

A service's module gives a function for each method that it answers, by the method's id. What a service has
not is answered with 501, so that nothing is taken for granted that Google would be asked for.
"""

import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit

from esteira.google.addresses import EMULATOR, OVERRIDE
from esteira.local.cloud.discovery import DOCUMENTS, Discovery, Method, discovery, find_method
from esteira.local.cloud.faults import Fault, Faults
from esteira.local.cloud.refusal import Refused, denied, disabled

# What stands before the path of a method: as gcloud has it where that is more than a name.
PREFIXES = {"storage": "storage/v1/", "bigquery": "bigquery/v2/"}
SERVICES = tuple(sorted({path.name.partition(".")[0] for path in DOCUMENTS.glob("*.json")}))
# Where Cloud Storage takes and gives contents, and BigQuery takes them: the rest of the path is that of a method.
# https://cloud.google.com/storage/docs/json_api#uris, https://cloud.google.com/bigquery/docs/reference/api-uploads
CONTENTS = re.compile(r"(?:resumable/)?(?:upload|download)/(storage|bigquery)/v[0-9]/(.*)")


class Call(NamedTuple):
    """A request that was understood: `parameters` are those of path and query, `body` its JSON.

    `body` is None for an empty one, and for what Google passes on unread.
    `content` is the body as it came, `http` and `path` the request line, `headers` the request's, named in Title-Case;
    `came_s` is when it came, in seconds since the epoch.
    """

    method: str
    parameters: Dict[str, str]
    body: Any
    content: bytes
    http: str
    path: str
    headers: Mapping[str, str]
    came_s: float


class Raw(NamedTuple):
    """An answer that is passed on as it is, not checked: another server's, or a file's content."""

    status: int
    content: bytes
    headers: Mapping[str, str]


Handler = Callable[[Call], Any]
# The APIs whose errors have the older form.
OLD = re.compile(r"(storage|bigquery|upload|download|resumable)/")


@dataclass
class StandIn:
    """What answers for Google: `handlers` by method id, the faults to come, and the calls that came.

    `paths` answer paths that no document describes, by their beginning, such as "upload/storage/v1/"; the id of
    such a call is the beginning, but for contents, which are calls of storage.objects.insert and get, and of
    bigquery.jobs.insert.
    `latency_s` is what a network would take: each answer comes so much later.
    """

    handlers: Dict[str, Handler] = field(default_factory=dict)
    paths: Dict[str, Handler] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    calls: List[Call] = field(default_factory=list)
    url: str = ""
    latency_s: float = 0.0

    def add(self, handlers: Mapping[str, Handler]) -> None:
        self.handlers.update(handlers)

    def variables(self) -> Dict[str, str]:
        """Return the environment variables by which gcloud and the engine find this server."""
        overrides = {OVERRIDE + name.upper(): self.url + PREFIXES.get(name, f"{name}/") for name in SERVICES}
        return {**overrides, EMULATOR: self.url.rstrip("/")}

    def called(self, method: str) -> List[Call]:
        """Return the calls of a method, in their order."""
        return [call for call in self.calls if call.method == method]

    def answer(self, http: str, target: str, content: bytes, headers: Mapping[str, str]) -> Tuple[Raw, bool]:
        """Return the answer to a request, and whether it is to be lost on its way."""
        fault: Optional[Fault] = None
        try:
            call, handler, checked = self.understand(http, target, content, headers)
            self.calls.append(call)
            fault = self.faults.take(call.method)
            if fault is not None and fault.kind != "lost":
                self.fail(fault, call)
            given = handler(call)
            if isinstance(given, Raw):
                return given, fault is not None
            if checked:
                given = {} if given is None and checked[1].response else given
                check_answer(*checked, given)
            return as_raw(200, given), fault is not None
        except Refused as refusal:
            headers = {"Retry-After": str(refusal.retry_after_s)} if refusal.retry_after_s else {}
            body = refusal.old_body() if OLD.match(target.lstrip("/")) else refusal.body()
            return as_raw(refusal.status, body, headers), fault is not None and fault.kind == "lost"

    def understand(
        self, http: str, target: str, content: bytes, headers: Mapping[str, str]
    ) -> Tuple[Call, Handler, Optional[Tuple[Discovery, Method]]]:
        """Return the call that a request is, with its handler; Refused for what Google would refuse."""
        came_s = time.time()
        parts = urlsplit(target)
        path, query = parts.path.lstrip("/"), dict(parse_qsl(parts.query, keep_blank_values=True))
        for prefix, handler in self.paths.items():
            if path.startswith(prefix):
                method_id, named = content_method(http, path, query) or (prefix, {})
                return Call(method_id, {**query, **named}, None, content, http, target, headers, came_s), handler, None
        service = next((name for name in SERVICES if path.startswith(PREFIXES.get(name, f"{name}/"))), "")
        if not service:
            raise Refused(404, f"{http} {target}: no API is served here")
        below = path[len(PREFIXES.get(service, f"{service}/")) :]
        found = find_method(service, http, below)
        if not found:
            raise Refused(501, f"{service}: {http} {below} is no method that documents/ has")
        api, method, named = found
        body = None if api.takes_any(method) else read_body(content)
        wrong = [*api.query_faults(method, query), *api.request_faults(method, body)]
        if wrong:
            raise Refused(400, "\n".join(wrong))
        known = self.handlers.get(method.id)
        if known is None:
            raise Refused(501, f"{method.id}: the stand-in does not answer it")
        return Call(method.id, {**query, **named}, body, content, http, target, headers, came_s), known, (api, method)

    def fail(self, fault: Fault, call: Call) -> None:
        """Refuse as a fault has it, or end the connection."""
        service, *_, kind, verb = call.method.split(".") if "." in call.method else (call.method, "", "")
        if fault.kind == "denied":
            verb = {"insert": "create", "patch": "update"}.get(verb, verb)
            raise denied(f"{service}.{kind}.{verb}", f"{service}.googleapis.com/{call.path.lstrip('/')}")
        if fault.kind == "disabled":
            raise disabled(service, "demo-project")
        if fault.kind == "expired":
            raise Refused(401, "Request had invalid authentication credentials.")
        if fault.kind == "quota":
            raise Refused(429, f"Quota exceeded for quota metric '{service}' of service '{service}.googleapis.com'.")
        if fault.kind == "busy":
            raise Refused(429, "Too many requests.", retry_after_s=fault.retry_after_s)
        if fault.kind == "unavailable":
            raise Refused(503, "The service is currently unavailable.", retry_after_s=fault.retry_after_s)
        raise ConnectionResetError


def content_method(http: str, path: str, query: Mapping[str, str]) -> Optional[Tuple[str, Dict[str, str]]]:
    """Return the id of the method whose content a path takes or gives, with its parameters; None for other paths."""
    below = CONTENTS.match(path)
    if not below:
        return None
    # The pieces of an upload, which are put, belong to the call that began it.
    api = discovery(below[1])
    found = api.find("POST" if http == "PUT" else http, below[2])
    if not found:
        raise Refused(404, f"{http} {path}: no such path")
    wrong = list(api.query_faults(found[0], query))
    if wrong:
        raise Refused(400, "\n".join(wrong))
    return found[0].id, found[1]


def read_body(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        raise Refused(400, "Invalid JSON payload received.") from None


def check_answer(api: Discovery, method: Method, body: Any) -> None:
    """Refuse to answer what Google would not: a stand-in that is wrong proves nothing."""
    wrong = api.response_faults(method, body)
    if wrong:
        raise Refused(500, f"the stand-in's answer to {method.id} is wrong: " + "; ".join(wrong))


def as_raw(status: int, body: Any, headers: Optional[Mapping[str, str]] = None) -> Raw:
    """Return an answer of JSON; of nothing, as after a deletion, for None."""
    if body is None:
        return Raw(204, b"", headers or {})
    content = json.dumps(body).encode("utf-8")
    return Raw(status, content, {"Content-Type": "application/json; charset=UTF-8", **(headers or {})})


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stand_in: StandIn) -> None:
        super().__init__(("127.0.0.1", 0), RequestHandler)
        self.stand_in = stand_in


class RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer goes out at once and in one piece: else each waits 40 ms for the first piece's receipt.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def do(self) -> None:
        content = self.read()
        time.sleep(self.server.stand_in.latency_s)
        try:
            headers = {name.title(): value for name, value in self.headers.items()}
            answer, lost = self.server.stand_in.answer(self.command, self.path, content, headers)
        except ConnectionResetError:
            lost = True
        if lost:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.content)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    def read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            content += self.rfile.read(size)
            self.rfile.readline()
            if not size:
                return content

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep what people read free of requests."""


@contextmanager
def served(stand_in: StandIn) -> Iterator[StandIn]:
    """Serve a stand-in on a free port of 127.0.0.1 until the end of the block."""
    with Server(stand_in) as server, answering(server, "http"):
        yield stand_in


@contextmanager
def answering(server: Server, scheme: str) -> Iterator[None]:
    """Let a server answer in a thread until the end of the block; its stand-in knows the address."""
    server.stand_in.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
