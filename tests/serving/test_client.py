import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Iterator

import pytest

from esteira.errors import ServingError
from esteira.serving.client import Client
from esteira.serving.connect import connect
from esteira.serving.prediction import Prediction, read_prediction
from tests.serving.answering import answering as answering_server

ROW = {"label": "b", "confidence": 0.75, "probabilities": [0.25, 0.75]}


@contextmanager
def answering(status: int, content: bytes) -> Iterator[str]:
    """An HTTP server that answers everything with this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_probabilities_are_named_by_the_labels() -> None:
    assert read_prediction("t", ROW, ["a", "b"]) == Prediction("t", "b", 0.75, {"a": 0.25, "b": 0.75})


def test_classes_without_names_are_numbered() -> None:
    assert read_prediction("t", ROW, None).probabilities == {"0": 0.25, "1": 0.75}


@pytest.mark.parametrize("row", [{"label": "b"}, 3, {**ROW, "probabilities": [1.0]}, {**ROW, "confidence": None}])
def test_a_row_of_another_model_is_told(row: object) -> None:
    with pytest.raises(ServingError, match=r"is not understood[\s\S]*make serve"):
        read_prediction("t", row, ["a", "b"])


def test_an_address_that_is_no_url_is_told() -> None:
    with pytest.raises(ServingError, match=r"^localhost:8501: is no URL of a server\. Expected one such as http://"):
        Client("localhost:8501")


@pytest.mark.loopback
def test_a_server_that_is_not_there_is_told() -> None:
    with answering(200, b"") as url:
        pass
    with pytest.raises(ServingError) as told:
        connect(url, model="toy").predict(["a"])
    assert str(told.value) == f"{url}: nothing listens there.\nStart the server in another terminal: make serve"


@pytest.mark.loopback
def test_an_error_answer_is_told_in_the_servers_words() -> None:
    with answering(404, b'{"error": "no model \\"toy\\""}') as url, pytest.raises(ServingError) as told:
        connect(url, model="toy").ask(["a"])
    assert str(told.value) == f'{url}/v1/models/toy:predict: answered with status 404: no model "toy"'


@pytest.mark.loopback
def test_a_server_of_another_kind_is_told() -> None:
    with answering(200, b"<html>") as url, pytest.raises(ServingError, match="answered with status 200 and no JSON"):
        connect(url, model="toy").predict(["a"])


@pytest.mark.loopback
def test_a_connection_that_was_closed_between_two_requests_is_opened_again() -> None:
    with answering_server() as server, Client(server.url) as client:
        server.closes = True
        for _ in range(3):
            assert client.ask("GET", "/v1/models/sentiment").status == 200
        assert len(server.connections) == 3


@pytest.mark.loopback
def test_a_busy_server_is_asked_again_when_it_says_so() -> None:
    pauses = []
    with answering_server() as server, Client(server.url, retry_s=60, pause=pauses.append) as client:
        server.refusals = [(429, "7"), (503, "0"), (429, "soon")]
        answer = client.ask("POST", "/v1/models/sentiment:predict", b'{"instances": [{"text": "good"}]}')
    assert answer.status == 200
    assert [7 <= pauses[0] <= 8.75, 0.5 <= pauses[1] <= 0.625, 1 <= pauses[2] <= 1.25] == [True, True, True]


@pytest.mark.loopback
def test_a_server_that_stays_busy_is_given_up() -> None:
    with answering_server() as server, Client(server.url, retry_s=5, pause=lambda pause_s: None) as client:
        server.refusals = [(429, "7")]
        answer = client.ask("POST", "/v1/models/sentiment:predict", b'{"instances": [{"text": "good"}]}')
    assert (answer.status, answer.message) == (429, "come again")
