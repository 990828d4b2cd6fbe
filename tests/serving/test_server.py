"""The real server process with a real SavedModel, over real HTTP."""

import base64
import http.client
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, List
from urllib.parse import urlsplit

import pytest

from esteira.errors import ServingError
from esteira.serving.client import Client
from esteira.serving.connect import connect
from esteira.serving.running import running_server
from esteira.serving.saved_model import read_labels
from tests.conftest import REPOSITORY
from tests.serving.toy_folder import save_toy_model
from tests.serving.toy_model import LABELS

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]

PREDICT = "/v1/models/toy:predict"
WAIT_S = 60


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a model") / "1732300000"
    save_toy_model(folder)
    return folder


@pytest.fixture(scope="module")
def url(model_dir: Path) -> Iterator[str]:
    with running_server(model_dir, name="toy", max_batch=8) as url:
        yield url


def ask(url: str, **fields: Any) -> Any:
    with Client(url) as client:
        return client.ask("POST", PREDICT, json.dumps(fields).encode())


def serve_command(model_dir: Path, port: int) -> List[str]:
    command = [sys.executable, "-m", "esteira.serving.server", "--model-dir", str(model_dir)]
    return [*command, "--name", "toy", "--port", str(port)]


def test_rows_and_columns_are_answered_by_each_signature(url: str) -> None:
    rows = ask(url, instances=[{"text": "good"}, {"text": "bad"}]).body["predictions"]
    assert [row["label"] for row in rows] == [LABELS[2], LABELS[0]]
    columns = ask(url, inputs={"text": ["good", "bad"]}).body["outputs"]
    assert columns == {name: [row[name] for row in rows] for name in rows[0]}
    assert ask(url, signature_name="stretch", instances=[{"point": [1, 2.5], "times": 3}]).body == {
        "predictions": [[3.0, 7.5]]
    }


def test_serialized_examples_are_given_as_base64(url: str) -> None:
    # tf.train.Example with text = "good": field 1 (features) > 1 (entry) > key, value > bytes_list.
    example = b"\n\x12\n\x10\n\x04text\x12\x08\n\x06\n\x04good"
    encoded = {"b64": base64.b64encode(example).decode()}
    by_example = ask(url, signature_name="examples", instances=[encoded]).body["predictions"]
    by_text = ask(url, instances=["good"]).body["predictions"]
    assert by_example == [by_text[0]["probabilities"]]


def test_what_the_model_rejects_is_a_bad_request(url: str) -> None:
    answer = ask(url, signature_name="examples", instances=["no example"])
    assert answer.status == 400
    assert answer.body["error"].startswith("the model rejects the inputs: Could not parse example input")


def test_the_client_names_the_probabilities_in_any_number_of_requests(url: str, model_dir: Path) -> None:
    texts = [f"{word} {index}" for index in range(50) for word in ("good", "bad", "É 🎉")]
    predictions = connect(url, model="toy").predict(texts)
    assert [prediction.text for prediction in predictions] == texts
    assert [prediction.label for prediction in predictions[:3]] == [LABELS[2], LABELS[0], LABELS[1]]
    assert list(predictions[0].probabilities) == LABELS == read_labels(model_dir)
    assert predictions[0].confidence == max(predictions[0].probabilities.values())


def test_a_port_in_use_is_told_before_tensorflow_is_imported(model_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = serve_command(model_dir, port)
        command[1:1] = ["-X", "importtime"]
        ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, encoding="utf-8", timeout=WAIT_S)
    assert ended.returncode == ServingError.exit_code
    assert f"serving.port: {port} on 127.0.0.1 is in use by another program." in ended.stderr
    assert "ESTEIRA_SERVING_PORT" in ended.stderr
    assert "tensorflow" not in ended.stderr


def test_a_server_that_cannot_start_shows_why(tmp_path: Path) -> None:
    with pytest.raises(ServingError) as told, running_server(tmp_path, name="toy"):
        pass
    assert str(told.value).startswith("the prediction server ended with status 11.\n")
    assert "is no SavedModel" in str(told.value)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_loads_ends_the_server_quietly(model_dir: Path, number: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with start_server(model_dir, port) as process:
        # The port is taken at the start, and the model needs seconds from there.
        wait_for_port(port)
        process.send_signal(number)
        output, errors = process.communicate(timeout=WAIT_S)
    assert (process.returncode, output, errors) == (0, b"", b"")


def test_requests_under_way_are_answered_when_the_server_is_told_to_stop(model_dir: Path) -> None:
    with start_server(model_dir, 0) as process:
        assert process.stdout is not None
        url = process.stdout.readline().decode().split(" at ")[1].split()[0]
        connections = [begin_request(url) for _ in range(8)]
        process.send_signal(signal.SIGTERM)
        wait_until_closed(url)
        for connection in connections:
            connection.send(b'"good"]}')
        answers = [connection.getresponse() for connection in connections]
        labels = [json.loads(answer.read())["predictions"][0]["label"] for answer in answers]
        output, errors = process.communicate(timeout=WAIT_S)
    assert [answer.status for answer in answers] == [200] * 8
    assert labels == [LABELS[2]] * 8
    assert (process.returncode, output, errors) == (0, b"", b"")


def test_a_server_ends_with_the_process_that_started_it(model_dir: Path) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        command = [*serve_command(model_dir, 0), "--parent-fd", str(theirs.fileno())]
        process = subprocess.Popen(
            command, cwd=REPOSITORY, pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    ours.close()
    _, errors = process.communicate(timeout=WAIT_S)
    assert (process.returncode, errors) == (0, b"")


def start_server(model_dir: Path, port: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        serve_command(model_dir, port), cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for_port(port: int) -> None:
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
        except ConnectionRefusedError:
            continue


def begin_request(url: str) -> http.client.HTTPConnection:
    """Send a request up to the middle of its body, once the server has seen its head."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=WAIT_S)
    start = b'{"instances": ['
    connection.putrequest("POST", PREDICT)
    connection.putheader("Content-Length", str(len(start) + len(b'"good"]}')))
    # The server says that it goes on when its handler asks for the body.
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    assert connection.sock.recv(len(b"HTTP/1.1 100 Continue\r\n\r\n")).startswith(b"HTTP/1.1 100")
    connection.send(start)
    return connection


def wait_until_closed(url: str) -> None:
    """Return when the server takes no more connections."""
    parts = urlsplit(url)
    while True:
        try:
            socket.create_connection((parts.hostname, parts.port), timeout=WAIT_S).close()
        except (ConnectionRefusedError, ConnectionResetError):
            return


def test_operations_of_tensorflow_text_are_there_where_it_is_installed(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tensorflow_text.py").write_text("open(__file__ + '.imported', 'w')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with running_server(model_dir, name="toy", max_batch=8) as url:
        assert len(connect(url, model="toy").ask([{"text": "a good film"}]).predictions) == 1
    assert (tmp_path / "tensorflow_text.py.imported").exists()
