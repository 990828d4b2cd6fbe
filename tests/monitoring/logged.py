"""Requests that a server has answered, as it gives them to the log."""

import json
from pathlib import Path
from typing import Any, Dict, List, Sequence

from esteira.monitoring.deployed import Deployed
from esteira.monitoring.journal.request_log import RequestLog
from esteira.monitoring.warehouse.database import Place, Warehouse, open_place
from esteira.serving.answer_log import Exchange
from esteira.serving.signature import TensorSpec
from tests.conftest import REPOSITORY

DEPLOYED = Deployed(
    endpoint="projects/local/locations/local/endpoints/toy-local",
    id="1234567890",
    model_version="1732300000",
    release="r-1",
    labels=("negative", "positivo ✓"),
    inputs=(TensorSpec("text", "DT_STRING", (None,)),),
    outputs=(TensorSpec("label", "DT_STRING", (None,)), TensorSpec("probabilities", "DT_FLOAT", (None, 2))),
)
OTHER = Deployed(endpoint=DEPLOYED.endpoint, id="2", model_version="7", release="r-2")


def place_in(folder: Path, **options: Any) -> Place:
    return Place(folder / "warehouse", REPOSITORY, **options)


def write(log: RequestLog, *request_ids: int, text: str = "a film", deployed: Deployed = DEPLOYED) -> None:
    for request_id in request_ids:
        request, response = {"instances": [{"text": text}]}, {"predictions": [{"label": "negative"}]}
        log.keep([Exchange(deployed, request_id, json.dumps(request).encode(), json.dumps(response).encode())])


def opened_log(place: Place, **options: Any) -> RequestLog:
    return RequestLog(place.folder, **{"percent": 100, "text": "keep", **options})


def logged(place: Place) -> List[Dict[str, Any]]:
    """Return the rows of the request log, in the order in which they were answered."""
    with open_place(place) as warehouse:
        return rows_of(warehouse)


def rows_of(warehouse: Warehouse) -> List[Dict[str, Any]]:
    return warehouse.query("read the log", "SELECT * FROM `esteira.request_log` ORDER BY logging_time, request_id")


def ids_of(place: Place) -> Sequence[int]:
    return [int(row["request_id"]) for row in logged(place)]
