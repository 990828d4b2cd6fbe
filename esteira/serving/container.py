"""The prediction server in a container of Vertex AI: it copies the model from Cloud Storage and serves it.

python -m esteira.serving.container [--version N] [--max-batch N] [--project P] [--region R] [--release ID] ...

What Vertex AI tells a container by variables, and expects of it:
https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements
Until the model is copied and loaded its health route answers 503, so that nobody is sent here before.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import List, Mapping, NamedTuple, Optional

from esteira.errors import EsteiraError, ServingError
from esteira.google.api import Api
from esteira.serving.answer_log import LogRule
from esteira.serving.client import model_path
from esteira.serving.download import download_model
from esteira.serving.identity import Candidate, Identity
from esteira.serving.limits import add_limits, given_limits
from esteira.serving.server import OpenLog, serve_models
from esteira.serving.sources import Split
from esteira.serving.stoppable import leave
from esteira.vertex.names import CHECK

# Vertex AI's proxy is outside of the container.
HOST = "0.0.0.0"
PORT, STORAGE_URI = "AIP_HTTP_PORT", "AIP_STORAGE_URI"
HEALTH_ROUTE, PREDICT_ROUTE = "AIP_HEALTH_ROUTE", "AIP_PREDICT_ROUTE"
PROJECT_NUMBER, ENDPOINT_ID, DEPLOYED_ID = "AIP_PROJECT_NUMBER", "AIP_ENDPOINT_ID", "AIP_DEPLOYED_MODEL_ID"
# For so long it still takes requests when it is told to stop: Vertex AI's proxy may know it later.
DRAIN_S = 2.0
ROUTE = re.compile(r"/v1/models/([^/:]+):predict\Z")


class Place(NamedTuple):
    """What Vertex AI has a container serve, and where."""

    port: int
    uri: str
    name: str


class BucketSource:
    """One model, copied from Cloud Storage to a folder below `scratch` when it is loaded."""

    def __init__(self, api: Api, place: Place, scratch: Path, version: int, identity: Identity) -> None:
        self.name = place.name
        self.endpoint = identity.endpoint
        self._api = api
        self._uri = place.uri
        self._model_dir = scratch / str(version)
        self._identity = identity

    def wanted(self) -> Split:
        return Split(self._identity.release)

    def candidate(self, release: str) -> Candidate:
        size_bytes = download_model(self._api, self._uri, self._model_dir)
        print(f"Copied {self._uri}, {size_bytes / 1e6:,.1f} MB", flush=True)
        return Candidate(self._model_dir, self.name, self._identity)


def main(arguments: Optional[List[str]] = None) -> int:
    """Serve as Vertex AI's variables say and return the exit status."""
    given = read_arguments(arguments)
    # The first process of a container has no default for it.
    signal.signal(signal.SIGTERM, leave)
    try:
        place = read_place(os.environ)
        identity = identity_of(os.environ, given.region, given.release)
        with tempfile.TemporaryDirectory(prefix="model-") as scratch:
            api = Api(given.project, "", os.environ)
            serve_models(
                BucketSource(api, place, Path(scratch), given.version, identity),
                host=HOST,
                port=place.port,
                max_batch=given.max_batch,
                limits=given_limits(given),
                open_log=log_opener(given, Path(scratch), identity),
                log_rule=LogRule(given.log_percent, given.log_text),
                drain_s=DRAIN_S,
            )
    except EsteiraError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def read_arguments(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="esteira.serving.container", description="Serve a model of Cloud Storage in a container of Vertex AI."
    )
    parser.add_argument("--version", type=int, default=1, help="what the model was pushed as")
    parser.add_argument("--max-batch", type=int, default=64)
    parser.add_argument("--project", default="", help="the project that the model belongs to")
    parser.add_argument("--region", default="-", help="the region of the endpoint")
    parser.add_argument("--release", default="", help="the release that made the model")
    parser.add_argument("--log-table", help="project.dataset.table; without it Vertex AI logs, or nobody does")
    parser.add_argument("--log-percent", type=int, default=100)
    parser.add_argument("--log-text", choices=("keep", "hash", "redact"), default="redact")
    add_limits(parser)
    return parser.parse_args(arguments)


def log_opener(given: argparse.Namespace, scratch: Path, identity: Identity) -> Optional[OpenLog]:
    """Return what opens the log of requests; None without one, and where nothing is asked in earnest."""
    if not given.log_table or not given.log_percent or identity.endpoint.endswith(CHECK):
        return None
    from esteira.monitoring.bigquery.streamed_log import StreamedLog, Target

    target = Target(given.log_table, given.project, given.log_percent, given.log_text)
    return partial(StreamedLog, scratch / "log", target)


def identity_of(environ: Mapping[str, str], region: str, release: str) -> Identity:
    """Return as what Vertex AI has deployed the container; it sets these variables in addition."""
    location = f"projects/{environ.get(PROJECT_NUMBER, '-')}/locations/{region}"
    return Identity(f"{location}/endpoints/{environ.get(ENDPOINT_ID, '-')}", environ.get(DEPLOYED_ID, "0"), release)


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
