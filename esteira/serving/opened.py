"""The endpoint of the chosen environment, opened to be asked: on this machine a server's, else Vertex AI's."""

from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

from esteira.errors import ServingError
from esteira.release.history import served_release
from esteira.release.served import served_model
from esteira.release.store import open_store
from esteira.serving.client import RETRY_S, Client, model_path
from esteira.serving.endpoint import Endpoint
from esteira.serving.saved_model import model_version
from esteira.serving.server_endpoint import ServerEndpoint
from esteira.settings import Settings

PROBE_TIMEOUT_S = 1.0


@contextmanager
def opened_endpoint(settings: Settings, say: Callable[[str], None], *, timeout_s: float) -> Iterator[Endpoint]:
    """Give what answers for the current release's model; StateError if nothing is deployed.

    On this machine the server on the port of the settings is asked if it serves this very model: it may as well be
    another clone's, or another program. If it does not, one is started for as long as it is asked, and `say` told.
    """
    if not settings.is_local:
        from esteira.vertex.answers import open_endpoint

        yield open_endpoint(settings)
        return
    name, model = settings.pipeline.name, served_model(settings)
    url = server_url(settings)
    if serves(url, name, model_version(model)):
        with ServerEndpoint(url, name, timeout_s=timeout_s, retry_s=RETRY_S) as endpoint:
            yield endpoint
        return
    say(f"No server at {url} serves the current release: one is started for now. To keep one: make serve")
    with own_server(settings, model) as own, ServerEndpoint(
        own, name, timeout_s=timeout_s, retry_s=RETRY_S
    ) as endpoint:
        yield endpoint


@contextmanager
def own_server(settings: Settings, model: Path) -> Iterator[str]:
    """Serve the current release's model as `make serve` does, its request log too, and give the URL."""
    from esteira.serving.answers_as import serving_identity
    from esteira.serving.limits import limits_of
    from esteira.serving.running import LogPlace, running_server

    release = served_release(open_store(settings), settings.selected)
    log, serving = settings.log, settings.serving
    place = LogPlace(settings.state / "warehouse", log.percent, log.text) if log.percent else None
    with running_server(
        model,
        name=settings.pipeline.name,
        max_batch=serving.max_batch,
        limits=limits_of(serving),
        deployed=serving_identity(settings, release, model_version(model)),
        log=place,
    ) as url:
        yield url


def server_url(settings: Settings) -> str:
    """Return where `make serve` listens."""
    host, port = settings.serving.host, settings.serving.port
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{here}]:{port}" if ":" in here else f"http://{here}:{port}"


def serves(url: str, name: str, version: int) -> bool:
    """Whether a server at `url` has this version of the model ready."""
    try:
        with Client(url, timeout_s=PROBE_TIMEOUT_S) as client:
            answer = client.ask("GET", f"{model_path(name)}/versions/{version}")
    except ServingError:
        return False
    return answer.status == 200
