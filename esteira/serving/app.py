"""The server's interfaces as an ASGI application: TensorFlow Serving's, Vertex AI's, health and metrics.

https://www.tensorflow.org/tfx/serving/api_rest
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints
Predictions go to the predictor at once; Starlette has the rest.
"""

from typing import Any, Awaitable, Callable, Dict, Mapping, Optional

from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from esteira.serving.answer_log import AnswerLog, LogRule
from esteira.serving.answers import Scope, Send, error_content
from esteira.serving.bodies import Bodies, Receive
from esteira.serving.catalogue import Catalogue
from esteira.serving.counts import Counts
from esteira.serving.endpoint_view import describe_endpoint
from esteira.serving.limits import Limits
from esteira.serving.metrics import METRICS_TYPE, Metrics
from esteira.serving.paths import find_asked, is_vertex
from esteira.serving.predictor import Predictor, check_endpoint
from esteira.serving.refusal import Refusal
from esteira.serving.response import encode_json
from esteira.serving.signature import describe_metadata

EXPECTED = (
    "expected /v1/models/NAME, then /versions/N, /metadata or :predict; "
    "/v1/projects/P/locations/L/endpoints/ID, then :predict or :rawPredict; /healthz, /readyz or /metrics"
)
NO_LOG = LogRule()
Handler = Callable[[Request], Awaitable[Response]]


class ModelName(StringConvertor):
    """A model's name ends at the colon before the verb."""

    regex = "[^/:]+"


register_url_convertor("model", ModelName())


class App:
    """The application over one catalogue; it starts and stops no threads that run models."""

    def __init__(
        self,
        catalogue: Catalogue,
        limits: Limits,
        counts: Counts,
        log: Optional[AnswerLog] = None,
        rule: LogRule = NO_LOG,
    ) -> None:
        """`rule` is what `log` does, which the description of the endpoint tells."""
        self._catalogue = catalogue
        self._rule = rule
        self._counts = counts
        self.bodies = Bodies(limits)
        self._predictor = Predictor(catalogue, limits, counts, self.bodies, log)
        self._metrics = Metrics(catalogue, counts, self.bodies)
        self._others = self._make_others()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = find_asked(scope["path"])
        if asked is not None and scope["method"] == "POST":
            await self._predictor.answer(asked, scope, receive, send)
        else:
            await self._others(scope, receive, send)

    def _make_others(self) -> Starlette:
        model, endpoint = "/v1/models/{name:model}", "/v1/projects/{project:model}/locations/{location:model}/endpoints"
        version = "/versions/{version:model}"
        handlers: Dict[str, Handler] = {
            model: self._status,
            f"{model}{version}": self._status,
            f"{model}/metadata": self._metadata,
            f"{model}{version}/metadata": self._metadata,
            f"{endpoint}/{{endpoint:model}}": self._endpoint,
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._show_metrics,
        }
        faults: Mapping[Any, Callable[[Request, Any], Any]] = {
            Refusal: self._refuse,
            HTTPException: self._refuse_http,
            Exception: answer_failure,
        }
        routes = [Route(path, self._counted(handler), methods=["GET"]) for path, handler in handlers.items()]
        app = Starlette(routes=routes, exception_handlers=faults)
        app.router.redirect_slashes = False
        return app

    def _counted(self, handler: Handler) -> Handler:
        route = handler.__name__.strip("_")

        async def handle(request: Request) -> Response:
            response = await handler(request)
            self._counts.answers[route, response.status_code, ""] += 1
            return response

        return handle

    async def _status(self, request: Request) -> Response:
        models = self._catalogue.versions(**request.path_params)
        fine = {"error_code": "OK", "error_message": ""}
        states = [{"version": str(model.version), "state": "AVAILABLE", "status": fine} for model in models]
        return answer(200, {"model_version_status": states})

    async def _metadata(self, request: Request) -> Response:
        model = self._catalogue.versions(**request.path_params)[-1]
        return answer(200, describe_metadata(model.name, model.version, model.signatures, model.labels))

    async def _endpoint(self, request: Request) -> Response:
        check_endpoint(self._catalogue, request.path_params["endpoint"])
        return answer(200, describe_endpoint(self._catalogue, self._rule))

    async def _health(self, request: Request) -> Response:
        """The event loop answers: the process is alive, whether or not it has a model."""
        return answer(200, {"status": "alive"})

    async def _readiness(self, request: Request) -> Response:
        if self._catalogue.is_ready:
            return answer(200, {"status": "ready"})
        return answer(503, {"status": "stopping" if self._catalogue.is_stopping else "loading"})

    async def _show_metrics(self, request: Request) -> Response:
        return Response(self._metrics.text(), headers={"content-type": METRICS_TYPE})

    async def _refuse(self, request: Request, refusal: Refusal) -> Response:
        return self._error(request, refusal.status, refusal.message, refusal.headers)

    async def _refuse_http(self, request: Request, error: HTTPException) -> Response:
        """Answer a path that is not there, or a method that it does not have."""
        path, headers = request.url.path, dict(error.headers or {})
        if error.status_code == 404 and find_asked(path) is not None:
            error, headers = HTTPException(405), {"Allow": "POST"}
        messages = {
            404: f"{path}: no such path; {EXPECTED}",
            405: f"{path}: {request.method} is not allowed; expected {in_order(headers.get('Allow', ''))}",
        }
        message = messages.get(error.status_code, str(error.detail))
        return self._error(request, error.status_code, message, headers)

    def _error(self, request: Request, status: int, message: str, headers: Dict[str, str]) -> Response:
        self._counts.answers["other", status, ""] += 1
        content = error_content(status, message, as_google=is_vertex(request.url.path))
        return Response(content, status, headers, "application/json")


def in_order(methods: str) -> str:
    return ", ".join(sorted(methods.split(", ")))


def answer(status: int, value: Any) -> Response:
    return Response(encode_json(value), status, media_type="application/json")


async def answer_failure(request: Request, error: Exception) -> Response:
    """Answer for a defect; Starlette then raises it again, so that the log has its traceback."""
    return answer(500, {"error": f"the server failed: {type(error).__name__}: {error}"})
