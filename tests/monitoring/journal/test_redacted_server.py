"""What a real server leaves on the disk of texts that it must not keep, wherever a client puts them."""

import base64
import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.conftest import REPOSITORY
from tests.serving.toy_folder import save_toy_model

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]

SECRET = "John Smith, 12 Main St"
ENCODED = base64.b64encode(SECRET.encode()).decode()
TEXTS = {"instances": [{"text": "a"}]}
# A tf.Example whose feature "text" is "a".
EXAMPLE = base64.b64encode(b"\x0a\x0f\x0a\x0d\x0a\x04text\x12\x05\x0a\x03\x0a\x01a").decode()
EXAMPLES = {"signature_name": "examples", "inputs": {"examples": [{"b64": EXAMPLE}]}}

ANSWERED = [
    {"signature_name": "serving_default", **TEXTS, "parameters": {"signature_name": "serving_default"}},
    {**EXAMPLES, "parameters": {}},
    {"instances": [SECRET, {"b64": ENCODED}, {"b64": ENCODED.rstrip("=")}]},
    {"instances": [{"text": SECRET}, {"text": {"b64": ENCODED}}]},
    {"inputs": [SECRET]},
    {"inputs": {"text": [SECRET, {"b64": ENCODED}]}},
]
REFUSED = [
    {"signature_name": "serving_default", **TEXTS, "parameters": {SECRET: "x", "signature_name": SECRET}},
    {**TEXTS, "parameters": {SECRET: {SECRET: [SECRET]}, "signature_name": "serving_default"}},
    {"signature_name": "", **TEXTS, "parameters": {"signature_name": {SECRET: 1}}},
    {**EXAMPLES, "parameters": {"note": SECRET, SECRET: "note"}},
    {"instances": [{"text": "a", SECRET: 1}]},
    {"instances": [{"text": "a"}, {SECRET: "a"}]},
    {"instances": [{"text": {SECRET: "a"}}]},
    {"instances": [{"text": {"b64": "YQ==", SECRET: 1}}]},
    {"inputs": {"text": ["a"], SECRET: ["a"]}},
    {"inputs": {"text": SECRET}},
    {"inputs": SECRET},
    {**TEXTS, "signature_name": SECRET},
    {**TEXTS, "parameters": {"signature_name": SECRET}},
    {**TEXTS, "parameters": SECRET},
    {**TEXTS, SECRET: 1},
    {"signature_name": "stretch", "inputs": {"point": [[1, 2]], "times": [SECRET]}},
]


class Server(NamedTuple):
    """A server, and the folder of its log."""

    port: int
    folder: Path

    def ask(self, body: Any) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/v1/models/toy:predict", json.dumps(body))
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status


@pytest.fixture(params=["redact", "hash"])
def server(request: pytest.FixtureRequest, tmp_path: Path, toy_model: Path) -> Iterator[Server]:
    folder = tmp_path / "log"
    command = [sys.executable, "-m", "esteira.serving.server", "--model-dir", str(toy_model), "--name", "toy"]
    command += ["--port", "0", "--log-folder", str(folder), "--log-text", request.param]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        port = urlsplit(process.stdout.readline().split(" at ")[1].split()[0]).port
        assert port is not None
        yield Server(port, folder)
        process.kill()


@pytest.fixture(scope="module")
def toy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "1732300000"
    save_toy_model(folder)
    return folder


def test_no_text_of_a_client_is_in_any_file(server: Server) -> None:
    assert [server.ask(body) for body in ANSWERED] == [200] * len(ANSWERED)
    assert [server.ask(body) for body in REFUSED] == [400] * len(REFUSED)
    files = [path for path in server.folder.rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    # That it is the journal, with all that was answered.
    assert content.count(b'"predictions"') + content.count(b'"outputs":') >= len(ANSWERED)
    for word in ("John", "Smith", "Main", ENCODED[:8], ENCODED[-12:].rstrip("=")):
        assert word.encode() not in content
