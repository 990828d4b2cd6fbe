"""Answering predictions: the path that most requests take, straight on the ASGI interface."""

import asyncio
import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Callable, Optional, TypeVar

from esteira.serving.answer_log import AnswerKeeper, AnswerLog, Exchange
from esteira.serving.answers import Answer, Scope, Send, error_content, refused, send_answer
from esteira.serving.bodies import Bodies, Receive
from esteira.serving.catalogue import Catalogue, ServedModel
from esteira.serving.counts import Counts
from esteira.serving.limits import Limits
from esteira.serving.paths import Asked
from esteira.serving.refusal import Gone, Refusal
from esteira.serving.request import parse_request
from esteira.serving.response import encode_outputs
from esteira.serving.underway import KEY, LATE, Underway

# Above these a request is read, or its answer written, in another thread than the event loop's.
LARGE_BODY_BYTES = 64 * 1024
LARGE_ROWS = 256
# What a body is read into is larger than the body: few at a time.
READERS = 2
REQUEST_ID_BITS = 62
# As nginx counts those who did not wait for their answer.
CLIENT_LEFT = 499
# A request with this header checks the model; see identity.py.
CHECK_HEADER = b"x-esteira-check"

T = TypeVar("T")


class Predictor:
    """Answers requests for predictions, counts them, and has the log keep those that were answered."""

    def __init__(
        self, catalogue: Catalogue, limits: Limits, counts: Counts, bodies: Bodies, log: Optional[AnswerLog]
    ) -> None:
        self._catalogue = catalogue
        self._limits = limits
        self._counts = counts
        self._bodies = bodies
        self._keeper = AnswerKeeper(log, counts) if log else None
        self._aside = ThreadPoolExecutor(READERS, "large")
        self._request_ids = itertools.count(random.SystemRandom().getrandbits(REQUEST_ID_BITS))

    async def answer(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. A defect is raised again after its answer, so that the log has its traceback."""
        started_s = perf_counter()
        underway = scope[KEY] = Underway(self._limits.timeout_s)
        request_id = next(self._request_ids)
        answer: Optional[Answer]
        failure: Optional[Exception] = None
        try:
            answer = await self._fulfil(asked, request_id, underway, scope, receive)
        except Refusal as refusal:
            answer = refused(refusal, as_google=bool(asked.endpoint))
        except Gone:
            answer = None
        except asyncio.CancelledError:
            if not underway.reason:
                raise
            is_late = underway.reason == LATE
            answer = refused(late(underway, self._limits), as_google=bool(asked.endpoint)) if is_late else None
        except Exception as error:
            failure = error
            message = f"the server failed: {type(error).__name__}: {error}"
            answer = Answer(500, error_content(500, message, as_google=bool(asked.endpoint)), [])
        finally:
            underway.end()
        if answer is not None:
            answer.headers.append((b"x-request-id", b"%d" % request_id))
            await send_answer(send, answer)
        self._counts.answers[asked.route, answer.status if answer else CLIENT_LEFT, underway.version] += 1
        self._counts.latency.observe(perf_counter() - started_s)
        if failure is not None:
            raise failure

    async def _fulfil(
        self, asked: Asked, request_id: int, underway: Underway, scope: Scope, receive: Receive
    ) -> Answer:
        headers = dict(scope["headers"])
        body = await self._bodies.read(headers, receive)
        underway.is_read = True
        try:
            model = self._find(asked)
            underway.version = model.deployed.model_version
            # From here until its answer the model is not let go of.
            model.asked += 1
            try:
                content = await self._predict(asked, model, body)
            finally:
                model.asked -= 1
            if self._keeper:
                # What is kept is answered.
                underway.end()
                deployed = model.checked if CHECK_HEADER in headers else model.deployed
                await self._keeper.keep(Exchange(deployed, request_id, body, content))
        finally:
            self._bodies.let_go(body)
        return formed(asked, model, content)

    def _find(self, asked: Asked) -> ServedModel:
        """Return the model that is asked. Raises Refusal."""
        if asked.endpoint:
            check_endpoint(self._catalogue, asked.endpoint)
            return self._catalogue.choose()
        if asked.verb != "predict":
            message = f":{asked.verb}: is not supported; use :predict, which takes every signature of the model"
            raise Refusal(501, message)
        return self._catalogue.find(asked.name, asked.version)

    async def _predict(self, asked: Asked, model: ServedModel, body: bytes) -> bytes:
        parse = partial(parse_request, body, model.signatures, self._limits.max_rows)
        request = await self._done(len(body) > LARGE_BODY_BYTES, parse)
        if asked.endpoint and asked.verb == "predict" and not request.by_row:
            raise Refusal(400, "instances: missing; Vertex AI's :predict takes rows alone. For columns: :rawPredict")
        outputs = await model.batcher.predict(request.signature, request.arrays, request.rows)
        self._counts.rows[model.deployed.model_version] += request.rows or 1
        is_large = (request.rows or 0) > LARGE_ROWS
        return await self._done(is_large, lambda: encode_outputs(outputs.values(), request.by_row, request.rows))

    async def _done(self, is_large: bool, work: Callable[[], T]) -> T:
        """Do the work here, or in another thread if it would hold up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._aside, work) if is_large else work()


def check_endpoint(catalogue: Catalogue, endpoint: str) -> None:
    """Raise Refusal (404) for the id of another endpoint than the server's own."""
    own = catalogue.endpoint.rpartition("/")[2]
    if endpoint != own:
        raise Refusal(404, f'no endpoint "{endpoint}"; this server has {own}')


def late(underway: Underway, limits: Limits) -> Refusal:
    if underway.is_read:
        return Refusal(504, f"no answer within {limits.timeout_s:g} s; send fewer rows, or try again later")
    return Refusal(408, f"body: had not arrived within {limits.timeout_s:g} s", {"connection": "close"})


def formed(asked: Asked, model: ServedModel, content: bytes) -> Answer:
    """Return the model's own answer in the form of the interface that was asked."""
    if asked.endpoint and asked.verb == "predict":
        return Answer(200, content[:-1] + model.vertex_fields, list(model.headers))
    return Answer(200, content, model.headers + model.vertex_headers if asked.endpoint else list(model.headers))
