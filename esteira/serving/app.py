"""TensorFlow Serving's REST interface as an ASGI application.

https://www.tensorflow.org/tfx/serving/api_rest
"""

import asyncio
import itertools
import random
import sys
from functools import partial
from typing import Any, AsyncIterator, Callable, Dict, Mapping, Optional, TypeVar

from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from esteira.serving.answer_log import AnswerLog
from esteira.serving.catalogue import Catalogue, ServedModel
from esteira.serving.refusal import Refusal
from esteira.serving.request import parse_request
from esteira.serving.response import encode_json, encode_outputs
from esteira.serving.signature import describe_metadata

MAX_BODY_BYTES = 8 * 1024 * 1024
# Of a body that is too large, so much is read and dropped: a client that still sends sees no answer.
MAX_DROPPED_BYTES = 8 * MAX_BODY_BYTES
# Above these a request is read, or its answer written, in another thread than the event loop's.
LARGE_BODY_BYTES = 64 * 1024
LARGE_ROWS = 256

T = TypeVar("T")


class ModelName(StringConvertor):
    """A model's name ends at the colon before the verb."""

    regex = "[^/:]+"


register_url_convertor("model", ModelName())


class PredictionApi:
    """The handlers of the routes, over one catalogue."""

    def __init__(self, catalogue: Catalogue, log: Optional[AnswerLog]) -> None:
        self._catalogue = catalogue
        self._log = log
        self._request_ids = itertools.count(random.SystemRandom().getrandbits(62))

    async def status(self, request: Request) -> Response:
        models = self._catalogue.versions(**request.path_params)
        statuses = [
            {
                "version": str(model.version),
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
            for model in models
        ]
        return answer({"model_version_status": statuses})

    async def metadata(self, request: Request) -> Response:
        model = self._catalogue.find(**request.path_params)
        return answer(describe_metadata(model.name, model.version, model.signatures, model.labels))

    async def predict(self, request: Request) -> Response:
        model = self._catalogue.find(**request.path_params)
        body = await read_body(request)
        asked = await aside(len(body) > LARGE_BODY_BYTES, partial(parse_request, body, model.signatures))
        outputs = await model.batcher.predict(asked.signature, asked.arrays, asked.rows)
        encode = partial(encode_outputs, outputs, by_row=asked.by_row, rows=asked.rows)
        content = await aside((asked.rows or 0) > LARGE_ROWS, encode)
        request_id = next(self._request_ids)
        self._keep(model, request_id, body, content)
        return json_response(200, content, {"x-request-id": str(request_id)})

    def _keep(self, model: ServedModel, request_id: int, body: bytes, content: bytes) -> None:
        if self._log is not None:
            try:
                self._log.keep(model.deployed, request_id, body, content)
            except OSError as error:
                print(f"the request log cannot be written: {error}", file=sys.stderr, flush=True)


def create_app(catalogue: Catalogue, log: Optional[AnswerLog] = None) -> Starlette:
    """Return the application; it starts and stops no threads."""
    api = PredictionApi(catalogue, log)
    routes = []
    for path in ("/v1/models/{name:model}", "/v1/models/{name:model}/versions/{version:model}"):
        routes += [
            Route(path, api.status, methods=["GET"]),
            Route(f"{path}/metadata", api.metadata, methods=["GET"]),
            Route(f"{path}:predict", api.predict, methods=["POST"]),
        ]
    handlers: Mapping[Any, Callable[[Request, Any], Any]] = {
        Refusal: answer_refusal,
        HTTPException: answer_http_error,
        ClientDisconnect: answer_nobody,
        Exception: answer_failure,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


async def aside(is_large: bool, work: Callable[[], T]) -> T:
    """Do the work here, or in another thread if it would hold up the event loop."""
    return await asyncio.get_running_loop().run_in_executor(None, work) if is_large else work()


async def read_body(request: Request) -> bytes:
    """Return the body. Raises Refusal for one that is compressed (415) or too large (413)."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise Refusal(415, f"content-encoding: {encoding} is not supported; send the JSON as it is")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            await drop_rest(request.stream(), MAX_DROPPED_BYTES)
            raise Refusal(
                413,
                f"body: more than {MAX_BODY_BYTES} bytes; send fewer rows in one request",
                {"connection": "close"},
            )
    return bytes(body)


async def drop_rest(chunks: AsyncIterator[bytes], limit: int) -> None:
    dropped = 0
    async for chunk in chunks:
        dropped += len(chunk)
        if dropped > limit:
            return


def answer(value: Any) -> Response:
    return json_response(200, encode_json(value))


def json_response(status: int, content: bytes, headers: Optional[Dict[str, str]] = None) -> Response:
    return Response(content, status_code=status, headers=headers, media_type="application/json")


async def answer_refusal(request: Request, refusal: Refusal) -> Response:
    return json_response(refusal.status, encode_json({"error": refusal.message}), refusal.headers)


async def answer_http_error(request: Request, error: HTTPException) -> Response:
    """Answer a path that is not there, or a method that it does not have."""
    path = request.url.path
    if error.status_code == 404:
        message = f"{path}: no such path; expected /v1/models/NAME, then /versions/N, /metadata or :predict"
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        message = f"{path}: {request.method} is not allowed; expected {allowed}"
    else:
        message = str(error.detail)
    return json_response(error.status_code, encode_json({"error": message}), dict(error.headers or {}))


async def answer_nobody(request: Request, error: ClientDisconnect) -> Response:
    """The client left before its body was complete: nobody reads this."""
    return Response(status_code=400)


async def answer_failure(request: Request, error: Exception) -> Response:
    """Answer for a defect; Starlette then raises it again, so that the log has its traceback."""
    return json_response(500, encode_json({"error": f"the server failed: {type(error).__name__}: {error}"}))
