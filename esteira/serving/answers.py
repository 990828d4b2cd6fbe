"""Answers as bytes, in the form of TensorFlow Serving or of Google's APIs, sent over the ASGI interface."""

from typing import Any, Awaitable, Callable, List, Mapping, MutableMapping, NamedTuple, Tuple

from esteira.monitoring.deployed import Deployed
from esteira.serving.refusal import Refusal
from esteira.serving.response import encode_json

Headers = List[Tuple[bytes, bytes]]
Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON_TYPE = (b"content-type", b"application/json")
# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
STATUS_NAMES = {
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Answer(NamedTuple):
    """JSON with its status, and headers beside its type and length."""

    status: int
    content: bytes
    headers: Headers


def refused(refusal: Refusal, *, as_google: bool) -> Answer:
    """Return the answer to what is not fulfilled."""
    content = error_content(refusal.status, refusal.message, as_google=as_google)
    return Answer(refusal.status, content, encoded(refusal.headers))


def error_content(status: int, message: str, *, as_google: bool) -> bytes:
    """Return {"error": message}, or the error of Google's APIs, which their clients read the message from."""
    if not as_google:
        return encode_json({"error": message})
    named = STATUS_NAMES.get(status, "INVALID_ARGUMENT")
    return encode_json({"error": {"code": status, "message": message, "status": named}})


def model_resource(deployed: Deployed) -> str:
    """Return the resource name of a model: the endpoint's place, and its id, which is the model's too."""
    location, _, identity = deployed.endpoint.rpartition("/endpoints/")
    return f"{location}/models/{identity}"


def fields_of(deployed: Deployed) -> bytes:
    """Return what Vertex AI adds to an answer with predictions, as the end of its JSON object."""
    fields = {
        "deployedModelId": deployed.id,
        "model": model_resource(deployed),
        "modelDisplayName": deployed.endpoint.rpartition("/")[2],
        "modelVersionId": deployed.model_version,
    }
    return b"," + encode_json(fields)[1:]


def headers_of(deployed: Deployed) -> Headers:
    """Return the headers that tell which model has answered."""
    return encoded(
        {
            "x-vertex-ai-deployed-model-id": deployed.id,
            "x-model-version": deployed.model_version,
            "x-release-id": deployed.release,
        }
    )


def raw_headers_of(deployed: Deployed) -> Headers:
    """Return those that Vertex AI adds to an answer that it passes on as it is."""
    return encoded(
        {
            "x-vertex-ai-endpoint-id": deployed.endpoint.rpartition("/")[2],
            "x-vertex-ai-model": model_resource(deployed),
            "x-vertex-ai-model-version-id": deployed.model_version,
        }
    )


def encoded(headers: Mapping[str, str]) -> Headers:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def send_answer(send: Send, answer: Answer) -> None:
    length = (b"content-length", b"%d" % len(answer.content))
    headers = [JSON_TYPE, length, *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content, "more_body": False})
