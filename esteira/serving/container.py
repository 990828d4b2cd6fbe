"""The prediction server in a container of Vertex AI: it copies the model from Cloud Storage and serves it.

python -m esteira.serving.container [--version N] [--max-batch N] [--project P]

What Vertex AI tells a container by variables, and expects of it:
https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements
Until the model is loaded no health check is answered, so that nobody is sent here before.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
from pathlib import Path
from typing import List, Mapping, NamedTuple, Optional

from esteira.errors import EsteiraError, ServingError
from esteira.google.api import Api
from esteira.serving.client import model_path
from esteira.serving.download import download_model
from esteira.serving.server import leave, serve

# Vertex AI's proxy is outside of the container.
HOST = "0.0.0.0"
PORT, STORAGE_URI = "AIP_HTTP_PORT", "AIP_STORAGE_URI"
HEALTH_ROUTE, PREDICT_ROUTE = "AIP_HEALTH_ROUTE", "AIP_PREDICT_ROUTE"
ROUTE = re.compile(r"/v1/models/([^/:]+):predict\Z")


class Place(NamedTuple):
    """What Vertex AI has a container serve, and where."""

    port: int
    uri: str
    name: str


def main(arguments: Optional[List[str]] = None) -> int:
    """Serve as Vertex AI's variables say and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="esteira.serving.container", description="Serve a model of Cloud Storage in a container of Vertex AI."
    )
    parser.add_argument("--version", type=int, default=1, help="what the model was pushed as")
    parser.add_argument("--max-batch", type=int, default=64)
    parser.add_argument("--project", default="", help="the project that the model belongs to")
    given = parser.parse_args(arguments)
    # The first process of a container has no default for it.
    signal.signal(signal.SIGTERM, leave)
    try:
        place = read_place(os.environ)
        api = Api(given.project, "", os.environ)
        with tempfile.TemporaryDirectory(prefix="model-") as scratch:
            model = Path(scratch) / str(given.version)
            size_bytes = download_model(api, place.uri, model)
            print(f"Copied {place.uri}, {size_bytes / 1e6:,.1f} MB", flush=True)
            serve(model, name=place.name, host=HOST, port=place.port, max_batch=given.max_batch)
    except EsteiraError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def read_place(environ: Mapping[str, str]) -> Place:
    """Return what Vertex AI's variables say. Raises ServingError that names all that are missing."""
    missing = [name for name in (PORT, STORAGE_URI, HEALTH_ROUTE, PREDICT_ROUTE) if not environ.get(name)]
    if missing:
        raise ServingError(
            f"{', '.join(missing)}: not set.\nExpected what Vertex AI sets in a container that it deploys. "
            "To serve a model on this machine: make serve"
        )
    port, route = environ[PORT], environ[PREDICT_ROUTE]
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ServingError(f"{PORT}: is {port}; expected the number of a port")
    match = ROUTE.match(route)
    if not match:
        raise ServingError(f"{PREDICT_ROUTE}: is {route}; expected /v1/models/NAME:predict")
    health = model_path(match.group(1))
    if environ[HEALTH_ROUTE] != health:
        raise ServingError(f"{HEALTH_ROUTE}: is {environ[HEALTH_ROUTE]}; expected {health}, as {PREDICT_ROUTE} has it")
    return Place(int(port), environ[STORAGE_URI], match.group(1))


if __name__ == "__main__":
    sys.exit(main())
