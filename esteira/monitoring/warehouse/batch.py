"""Handing a batch of the journal to DuckDB, which splits the bodies itself."""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Sequence

from esteira.monitoring.deployed import Deployed
from esteira.monitoring.journal.frames import Described, Records
from esteira.monitoring.warehouse.rows import insert_rows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
HERE = Path(__file__).parent
UNKNOWN = Deployed(endpoint="", id="", model_version="", release="")
NEW_MODEL = """
SELECT count(*) FROM esteira.deployed_models
WHERE endpoint = ? AND deployed_model_id = ? AND model_version = ? AND release_id = ? AND labels = ? AND signature = ?
"""


def insert_requests(connection: "DuckDBPyConnection", batch: Any) -> None:
    """Append requests, a table of Arrow, to the request log."""
    connection.execute((HERE / "split_payloads.sql").read_text(encoding="utf-8"))
    connection.register("batch", batch)
    try:
        connection.execute((HERE / "load_requests.sql").read_text(encoding="utf-8"))
    finally:
        connection.unregister("batch")


def arrow_table(records: Records, models: Mapping[int, Described]) -> Any:
    """Return the requests of one segment as load_requests.sql takes them."""
    import numpy as np
    import pyarrow

    used, indices = np.unique(np.array(records.deployed, np.int32), return_inverse=True)
    numbers = pyarrow.array(indices.astype(np.int32))
    deployed = [models[number].deployed if number in models else UNKNOWN for number in used.tolist()]

    def of_model(values: List[str]) -> Any:
        return pyarrow.DictionaryArray.from_arrays(numbers, pyarrow.array(values, pyarrow.string()))

    return pyarrow.table(
        {
            "endpoint": of_model([one.endpoint for one in deployed]),
            "deployed_model_id": of_model([one.id for one in deployed]),
            "model_version": of_model([one.model_version for one in deployed]),
            "release_id": of_model([one.release for one in deployed]),
            "logging_us": pyarrow.array(np.array(records.times_ns, np.int64) // 1000),
            "request_id": pyarrow.array(np.array(records.request_ids, np.uint64)),
            "request": texts(records.requests),
            "response": texts(records.responses),
        }
    )


def texts(bodies: Sequence[bytes]) -> Any:
    """Return bodies as texts; what is no UTF-8 is written as \\xff."""
    import pyarrow

    try:
        return pyarrow.array(bodies, pyarrow.string())
    except pyarrow.ArrowInvalid:
        return pyarrow.array([body.decode("utf-8", "backslashreplace") for body in bodies], pyarrow.string())


def insert_models(connection: "DuckDBPyConnection", models: Sequence[Described]) -> None:
    """Append the models that the table does not have yet."""
    for one in models:
        row = deployed_row(one)
        known = [row[name] for name in ("endpoint", "deployed_model_id", "model_version", "release_id", "labels")]
        found = connection.execute(NEW_MODEL, [*known, row["signature"]]).fetchall()
        if not found[0][0]:
            insert_rows(connection, "deployed_models", [row])


def deployed_row(described: Described) -> Dict[str, Any]:
    """Return what deployed_models has of a model that answers since a time."""
    deployed = described.deployed
    signature = {
        side: [{"name": one.name, "dtype": one.dtype, "shape": one.shape} for one in tensors]
        for side, tensors in (("inputs", deployed.inputs), ("outputs", deployed.outputs))
    }
    return {
        "endpoint": deployed.endpoint,
        "deployed_model_id": deployed.id,
        "model_version": deployed.model_version,
        "release_id": deployed.release,
        "labels": list(deployed.labels),
        "signature": json.dumps(signature),
        "deployed_time": EPOCH + timedelta(microseconds=described.time_ns // 1000),
    }
