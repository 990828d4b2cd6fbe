"""A real HTTP server that answers for a small model as ours does, and otherwise as a test wants it to."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from tests.serving.small_model import OUTPUTS, TEXT, answer, metadata, prediction

VERSION = "1732300000"
ENDPOINT = "/v1/projects/local/locations/local/endpoints/sentiment-local"
MAX_BODY_BYTES = 8 << 20

# (request's body, status, answer) -> status, answer.
Spoil = Callable[[bytes, int, Any], Tuple[int, Any]]


class Answering:
    """What the server does: each attribute changes one thing."""

    def __init__(self, url: str, port: int) -> None:
        self.url = url
        self.port = port
        self.inputs: Mapping[str, Sequence[Any]] = TEXT
        self.outputs: Mapping[str, Sequence[Any]] = OUTPUTS
        self.pause_s = 0.0
        # Statuses with their retry-after, answered to the next predictions.
        self.refusals: List[Tuple[int, str]] = []
        self.fail_after: Optional[int] = None
        # Close a connection after each answer without saying so.
        self.closes = False
        # It is a Vertex AI endpoint as well, of one deployed model, which is let go of after its first answer.
        self.is_endpoint = False
        self.retires = False
        # Gives another answer than the right one.
        self.spoil: Spoil = lambda content, status, said: (status, said)
        self.is_retired = False
        self.instances: List[List[Any]] = []
        self.connections: Set[Any] = set()

    def post(self, path: str, content: bytes) -> Tuple[int, Dict[str, str], Any]:
        time.sleep(self.pause_s)
        if self.refusals:
            status, after = self.refusals.pop(0)
            return status, {"retry-after": after}, {"error": "come again"}
        if path.startswith(ENDPOINT) and self.is_endpoint:
            return self.raw(content)
        if not path.startswith("/v1/models/sentiment"):
            name = path.split("/")[3].partition(":")[0]
            return 404, {}, {"error": f'no model "{name}"; this server has sentiment'}
        status, said = self.spoil(content, *self.predict(content))
        return status, {"x-request-id": str(7000 + len(self.instances))}, said

    def raw(self, content: bytes) -> Tuple[int, Dict[str, str], Any]:
        status, said = self.predict(content)
        self.is_retired = self.retires
        told = {"x-vertex-ai-deployed-model-id": "7", "x-vertex-ai-model-version-id": VERSION}
        return status, {**told, "x-request-id": "7001"}, said

    def predict(self, content: bytes) -> Tuple[int, Any]:
        if len(content) > MAX_BODY_BYTES:
            return 413, {"error": "body: too large"}
        if self.inputs is TEXT:
            status, said = answer(content)
            if status != 200:
                return status, said
        instances = json.loads(content).get("instances", [])
        for index, row in enumerate(instances):
            if "refuse me" in row.values():
                return 400, {"error": f"instances[{index}].text: refused"}
        self.instances.append(instances)
        if self.fail_after is not None and len(self.instances) > self.fail_after:
            return 500, {"error": "out of memory"}
        return 200, said if self.inputs is TEXT else {"predictions": [prediction("") for _ in instances]}

    def get(self, path: str) -> Tuple[int, Any]:
        if path == ENDPOINT and self.is_endpoint:
            deployed = [] if self.is_retired else [{"id": "7", "displayName": "r7", "modelVersionId": VERSION}]
            return 200, {"deployedModels": deployed}
        if self.is_retired and f"/versions/{VERSION}" in path:
            return 404, {"error": f'the model "sentiment" has no version "{VERSION}"; it has 8'}
        if path.endswith("/metadata"):
            return 200, metadata("sentiment", VERSION, {"serving_default": (self.inputs, self.outputs)})
        if path in ("/v1/models/sentiment", f"/v1/models/sentiment/versions/{VERSION}"):
            state = {"version": VERSION, "state": "AVAILABLE"}
            return 200, {"model_version_status": [state]}
        return 404, {"error": f"{path}: no such path"}


def handler_of(answering: Answering) -> type:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body of an answer in one packet.
        wbufsize = -1

        def setup(self) -> None:
            super().setup()
            answering.connections.add(self.client_address)

        def do_GET(self) -> None:
            self.answer(*answering.get(self.path))

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, said = answering.post(self.path, content)
            self.answer(status, said, headers)

        def answer(self, status: int, body: Any, headers: Mapping[str, str] = {}) -> None:
            content = json.dumps(body).encode("utf-8")
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = self.close_connection or answering.closes

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


@contextmanager
def answering() -> Iterator[Answering]:
    """Give a server that listens while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    described = Answering(f"http://127.0.0.1:{server.server_port}", server.server_port)
    server.RequestHandlerClass = handler_of(described)  # type: ignore[assignment]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield described
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
