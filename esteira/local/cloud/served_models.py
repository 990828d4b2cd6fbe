"""What serves the models of the stand-in of Vertex AI in a rehearsal: the real server, on the model in the bucket."""

import tempfile
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Callable, Dict, Iterator, Tuple

from esteira.errors import EsteiraError
from esteira.google.api import Api
from esteira.local.cloud.endpoints import Container, Start
from esteira.local.cloud.operations import Failed, Json
from esteira.serving.client import Client
from esteira.serving.download import download_model
from esteira.serving.response import encode_json
from esteira.serving.running import running_server

# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
FAILED_PRECONDITION = 9

# artifactUri, name -> URL of a server that serves it.
Serve = Callable[[str, str], str]


@contextmanager
def served_models(api: Api) -> Iterator[Start]:
    """Give what starts a server for each model that is deployed, from its bucket; they end with the block.

    A model that is deployed twice is served by one process.
    """
    lock = threading.Lock()
    urls: Dict[str, str] = {}
    with ExitStack() as servers, tempfile.TemporaryDirectory() as scratch:

        def serve(uri: str, name: str) -> str:
            with lock:
                if uri not in urls:
                    folder = Path(scratch) / str(len(urls)) / uri.rstrip("/").rpartition("/")[2]
                    download_model(api, uri, folder)
                    urls[uri] = servers.enter_context(running_server(folder, name=name))
                return urls[uri]

        yield starting(serve)


def starting(serve: Serve) -> Start:
    """Return what has a model of Vertex AI served by `serve`, and asks it at its own route."""

    def start(model: Json) -> Container:
        route = model["containerSpec"]["predictRoute"]
        try:
            url = serve(model["artifactUri"], route.rpartition("/")[2].partition(":")[0])
        except EsteiraError as error:
            raise Failed(FAILED_PRECONDITION, f"Model server never became ready. {error}") from None
        return lambda body: ask(url, route, body)

    return start


def ask(url: str, route: str, body: bytes) -> Tuple[int, bytes]:
    with Client(url) as client:
        answer = client.ask("POST", route, body)
    return answer.status, encode_json(answer.body)
