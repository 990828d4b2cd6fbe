"""Whether a request that was answered lies in the request log, as what it was."""

import json
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from esteira.monitoring.engine import Engine
from esteira.monitoring.journal.redact import redact
from esteira.serving.checks import Check, in_json
from esteira.serving.identity import Identity
from esteira.serving.probe import Said, encoded

NAME = "request log"
QUERY = (
    "SELECT endpoint, deployed_model_id, model_version, release_id, request_payload, response_payload "
    "FROM `{dataset}.request_log` WHERE request_id = @request_id"
)


class Logged(NamedTuple):
    """A request that was answered, and as what: its row must tell that. `text` is the settings' log.text."""

    instances: Sequence[Any]
    said: Said
    identity: Identity
    version: int
    labels: Sequence[str]
    text: str = "keep"


def log_is_off() -> Check:
    return Check(NAME, True, "no row", "off: log.percent is 0")


def check_log(engine: Engine, logged: Logged) -> Check:
    """Look for the row of an answer: who gave it, and both payloads. Raises WarehouseError if the log can't be read."""
    said, identity = logged.said, logged.identity
    if not said.request_id.isdigit():
        return Check(NAME, False, "an x-request-id in the answer", said.request_id or "none")
    query = QUERY.format(dataset=engine.dataset)
    rows = engine.query("look for the smoke test's row", query, {"request_id": int(said.request_id)})
    expected = f"one row of request {said.request_id}, release {identity.release}, both payloads"
    fault = fault_of_row(rows[0], logged) if len(rows) == 1 else f"{len(rows)} such rows"
    return Check(NAME, not fault, expected, fault or f"it is there, with {len(logged.instances)} instances")


def fault_of_row(row: Dict[str, Any], logged: Logged) -> str:
    """Return what in a row is not as it must be."""
    instances, predictions = written_payloads(logged)
    wanted = {
        "endpoint": logged.identity.endpoint,
        "deployed_model_id": logged.identity.id,
        "model_version": str(logged.version),
        "release_id": logged.identity.release,
        "request_payload": instances,
        "response_payload": predictions,
    }
    found = {name: read_payload(row[name]) if name.endswith("_payload") else row[name] for name in wanted}
    wrong = [name for name in wanted if found[name] != wanted[name]]
    return f"{wrong[0]}: {in_json(found[wrong[0]])[:150]}, expected {in_json(wanted[wrong[0]])[:150]}" if wrong else ""


def written_payloads(logged: Logged) -> Tuple[Any, Any]:
    """Return the instances and the predictions as they are kept: without their texts where the settings say so."""
    request, response = encoded(instances=logged.instances), json.dumps(logged.said.body).encode("ascii")
    if logged.text != "keep":
        request, response = redact(request, response, tuple(logged.labels), logged.text)
    return json.loads(request)["instances"], json.loads(response)["predictions"]


def read_payload(payload: Any) -> Optional[List[Any]]:
    """Return the values of a payload, None if one is no JSON."""
    try:
        return [json.loads(value) for value in payload]
    except (TypeError, ValueError):
        return None
