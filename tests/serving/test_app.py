import asyncio
import json
from typing import Any, AsyncIterator, Dict, List, Optional, Tuple

import numpy as np
import pytest

from esteira.monitoring.deployed import Deployed
from esteira.serving.app import MAX_BODY_BYTES, create_app
from esteira.serving.batcher import Batcher
from esteira.serving.catalogue import Catalogue, ServedModel
from esteira.serving.signature import Arrays, Signature, TensorSpec

TEXT = Signature(
    "serving_default",
    inputs=(TensorSpec("text", "DT_STRING", (None,), "text:0"),),
    outputs=(TensorSpec("length", "DT_INT64", (None,), "length:0"),),
)


def measure(signature: str, arrays: Arrays) -> Arrays:
    if b"fail" in arrays["text"]:
        raise OSError("out of luck")
    return {"length": np.array([len(text) for text in arrays["text"]])}


def served(version: int) -> ServedModel:
    batcher = Batcher(measure, max_batch=8, max_waiting=64)
    return ServedModel("toy", version, {TEXT.name: TEXT}, ["a", "b"], batcher, Deployed("e", "1", str(version), "r"))


def ask(
    method: str, path: str, chunks: Tuple[bytes, ...] = (), headers: Optional[Dict[str, str]] = None
) -> Tuple[int, Any, Dict[str, str]]:
    """Send one request through the ASGI interface; return status, JSON and headers."""
    models = [served(3), served(12)]
    for model in models:
        model.batcher.start()
    try:
        return asyncio.run(talk(create_app(Catalogue(models)), method, path, list(chunks), headers or {}))
    finally:
        for model in models:
            model.batcher.stop()


async def talk(
    app: Any, method: str, path: str, chunks: List[bytes], headers: Dict[str, str]
) -> Tuple[int, Any, Dict[str, str]]:
    sent: List[Dict[str, Any]] = []

    async def events() -> AsyncIterator[Dict[str, Any]]:
        for chunk in chunks:
            yield {"type": "http.request", "body": chunk, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, events().__anext__, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], json.loads(sent[1]["body"]), answered


def test_status_lists_every_version_or_the_one_that_is_asked_for() -> None:
    status, body, _ = ask("GET", "/v1/models/toy")
    ready = {"state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert (status, body) == (
        200,
        {"model_version_status": [{"version": "3", **ready}, {"version": "12", **ready}]},
    )
    assert ask("GET", "/v1/models/toy/versions/3")[1] == {"model_version_status": [{"version": "3", **ready}]}


def test_metadata_has_tensorflow_servings_form_and_the_labels() -> None:
    status, body, _ = ask("GET", "/v1/models/toy/versions/3/metadata")
    shape = {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
    assert status == 200
    assert body == {
        "model_spec": {"name": "toy", "signature_name": "", "version": "3"},
        "metadata": {
            "signature_def": {
                "signature_def": {
                    "serving_default": {
                        "inputs": {"text": {"dtype": "DT_STRING", "tensor_shape": shape, "name": "text:0"}},
                        "outputs": {"length": {"dtype": "DT_INT64", "tensor_shape": shape, "name": "length:0"}},
                        "method_name": "tensorflow/serving/predict",
                    }
                }
            },
            "labels": ["a", "b"],
        },
    }
    assert ask("GET", "/v1/models/toy/metadata")[1]["model_spec"]["version"] == "12"


def test_predict_answers_in_the_form_of_the_request_whatever_its_content_type() -> None:
    status, body, headers = ask("POST", "/v1/models/toy:predict", (b'{"instances": ', b'["abc", ""]}'))
    assert (status, body, headers["content-type"]) == (200, {"predictions": [3, 0]}, "application/json")
    form = {"content-type": "application/x-www-form-urlencoded"}
    status, body, _ = ask("POST", "/v1/models/toy/versions/3:predict", (b'{"inputs": ["abc"]}',), form)
    assert (status, body) == (200, {"outputs": [3]})


def test_a_large_request_is_answered_too() -> None:
    texts = ["x" * (index % 50) for index in range(5000)]
    status, body, _ = ask("POST", "/v1/models/toy:predict", (json.dumps({"instances": texts}).encode(),))
    # Each version's queue takes a request beyond its bound while it is empty.
    assert (status, body) == (200, {"predictions": [len(text) for text in texts]})


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/models/other", 404, 'no model "other"; this server has toy'),
        ("GET", "/v1/models/toy/versions/4", 404, 'the model "toy" has no version "4"; it has 3, 12'),
        (
            "GET",
            "/v1/models/toy/versions/x/metadata",
            404,
            'the model "toy" has no version "x"; it has 3, 12',
        ),
        (
            "POST",
            "/v1/models/toy/versions/4:predict",
            404,
            'the model "toy" has no version "4"; it has 3, 12',
        ),
        (
            "GET",
            "/v1/models/toy/",
            404,
            "/v1/models/toy/: no such path; expected /v1/models/NAME, then /versions/N, /metadata or :predict",
        ),
        (
            "POST",
            "/v1/models/toy:classify",
            404,
            "/v1/models/toy:classify: no such path; expected /v1/models/NAME, then /versions/N, /metadata or :predict",
        ),
        ("GET", "/v1/models/toy:predict", 405, "/v1/models/toy:predict: GET is not allowed; expected POST"),
        (
            "POST",
            "/v1/models/toy:predict",
            400,
            "body: expected JSON: Expecting value: line 1 column 1 (char 0)",
        ),
    ],
)
def test_what_is_not_there_is_told(method: str, path: str, status: int, message: str) -> None:
    answered, body, _ = ask(method, path)
    assert (answered, body) == (status, {"error": message})


def test_a_body_that_is_too_large_is_refused_and_the_connection_closed() -> None:
    status, body, headers = ask("POST", "/v1/models/toy:predict", (b" " * 1024 * 1024,) * 9)
    assert (status, headers["connection"]) == (413, "close")
    assert body == {"error": f"body: more than {MAX_BODY_BYTES} bytes; send fewer rows in one request"}


def test_a_compressed_body_is_refused() -> None:
    status, body, _ = ask("POST", "/v1/models/toy:predict", (b"x",), {"content-encoding": "gzip"})
    assert (status, body) == (
        415,
        {"error": "content-encoding: gzip is not supported; send the JSON as it is"},
    )


def test_a_model_that_fails_is_a_fault_of_the_server() -> None:
    batcher = Batcher(measure, max_batch=8, max_waiting=64)
    batcher.start()
    app = create_app(Catalogue([ServedModel("toy", 1, {TEXT.name: TEXT}, None, batcher, Deployed("e", "1", "1", "r"))]))
    sent: List[Dict[str, Any]] = []

    async def receive() -> Dict[str, Any]:
        return {"type": "http.request", "body": b'{"instances": ["fail"]}', "more_body": False}

    async def send(message: Dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/models/toy:predict",
        "query_string": b"",
        "headers": [],
    }
    # Raised again after the answer, so that the server's log has the traceback.
    with pytest.raises(OSError, match="out of luck"):
        asyncio.run(app(scope, receive, send))
    batcher.stop()
    assert sent[0]["status"] == 500
    assert json.loads(sent[1]["body"]) == {"error": "the server failed: OSError: out of luck"}
