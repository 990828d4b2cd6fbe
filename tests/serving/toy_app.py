"""The application over a model that measures texts, asked through the ASGI interface."""

import asyncio
import json
import threading
from typing import Any, AsyncIterator, Dict, Iterable, List, NamedTuple, Optional, Tuple

import numpy as np

from esteira.monitoring.deployed import Deployed
from esteira.serving.answer_log import AnswerLog
from esteira.serving.app import App
from esteira.serving.batcher import Batcher
from esteira.serving.catalogue import Catalogue, ServedModel, Share
from esteira.serving.counts import Counts
from esteira.serving.limits import Limits
from esteira.serving.signature import Arrays, Signature, TensorSpec

ENDPOINT = "projects/local/locations/local/endpoints/toy-local"
TEXT = Signature(
    "serving_default",
    inputs=(TensorSpec("text", "DT_STRING", (None,), "text:0"),),
    outputs=(TensorSpec("length", "DT_INT64", (None,), "length:0"),),
)


class Answered(NamedTuple):
    status: int
    body: Any
    headers: Dict[str, str]


class ToyApp:
    """Two versions of a model, 3 and 12, with shares of the traffic; `ran` is every text that a model saw."""

    def __init__(
        self, shares: Tuple[int, ...] = (0, 100), limits: Optional[Limits] = None, log: Optional[AnswerLog] = None
    ) -> None:
        self.ran: List[bytes] = []
        # A model waits for this before it answers.
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.counts = Counts()
        self.limits = limits or Limits()
        models = [self._model(version) for version in (3, 12)[: len(shares)]]
        self.shares = [Share(model, percent) for model, percent in zip(models, shares)]
        self.catalogue = Catalogue("toy", ENDPOINT, self.shares)
        self.app = App(self.catalogue, self.limits, self.counts, log)

    def __enter__(self) -> "ToyApp":
        for share in self.shares:
            share.model.batcher.start()
        return self

    def __exit__(self, *failure: Any) -> None:
        self.may_answer.set()
        for share in self.shares:
            share.model.batcher.stop()

    def ask(
        self, method: str, path: str, chunks: Iterable[bytes] = (), headers: Optional[Dict[str, str]] = None
    ) -> Answered:
        """Send one request; return its answer, whose body is text where it is no JSON."""
        return asyncio.run(self.talk(method, path, whole(chunks), headers or {}))

    async def talk(
        self, method: str, path: str, events: AsyncIterator[Dict[str, Any]], headers: Dict[str, str]
    ) -> Answered:
        sent: List[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        await self.app(scope, events.__anext__, send)
        if not sent:
            return Answered(0, None, {})
        named = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        content = sent[1]["body"]
        is_json = named["content-type"] == "application/json"
        return Answered(sent[0]["status"], json.loads(content) if is_json else content.decode(), named)

    def _measure(self, signature: str, arrays: Arrays) -> Arrays:
        self.may_answer.wait()
        self.ran += arrays["text"].tolist()
        if b"fail" in arrays["text"]:
            raise OSError("out of luck")
        return {"length": np.array([len(text) for text in arrays["text"]])}

    def _model(self, version: int) -> ServedModel:
        batcher = Batcher(self._measure, max_batch=8, max_waiting=self.limits.max_waiting)
        deployed = Deployed(ENDPOINT, f"id-{version}", str(version), f"release-{version}", ("a", "b"))
        return ServedModel("toy", version, {TEXT.name: TEXT}, ["a", "b"], batcher, deployed, f"2026-01-0{version % 9}")


async def whole(chunks: Iterable[bytes]) -> AsyncIterator[Dict[str, Any]]:
    """Yield what uvicorn gives for a body that arrives in these chunks, then that the client left."""
    for chunk in chunks:
        yield {"type": "http.request", "body": chunk, "more_body": True}
    yield {"type": "http.request", "body": b"", "more_body": False}
    yield {"type": "http.disconnect"}
