"""What the stand-in of Vertex AI's endpoints logs of requests, where an endpoint is told to.

https://cloud.google.com/vertex-ai/docs/predictions/online-prediction-logging
"""

import json
import random
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, List

from esteira.local.cloud.warehouse.tables import Warehouse
from esteira.local.cloud.warehouse.values import Json

CONFIG = "predictRequestResponseLoggingConfig"
# A payload that is larger is not logged, says Google of dedicated endpoints.
MOST_BYTES = 10_000_000
# The table that Vertex AI makes where it finds none.
COLUMNS = [
    {"name": "endpoint", "type": "STRING", "mode": "NULLABLE"},
    {"name": "deployed_model_id", "type": "STRING", "mode": "NULLABLE"},
    {"name": "logging_time", "type": "TIMESTAMP", "mode": "NULLABLE"},
    {"name": "request_id", "type": "NUMERIC", "mode": "NULLABLE"},
    {"name": "request_payload", "type": "STRING", "mode": "REPEATED"},
    {"name": "response_payload", "type": "STRING", "mode": "REPEATED"},
]


@dataclass
class LoggedRequests:
    """Writes rows into the warehouse, `lag_s` after each request; none at all while it `loses` them."""

    warehouse: Warehouse
    lag_s: float = 0.3
    loses: bool = False

    def keep(self, endpoint: Json, deployed_id: str, request: bytes, response: bytes) -> None:
        """Log a request that was answered, if the endpoint's settings and its sampling rate have it so."""
        config = endpoint.get(CONFIG) or {}
        too_large = max(len(request), len(response)) > MOST_BYTES
        if not config.get("enabled") or random.random() >= config.get("samplingRate", 1) or too_large:
            return
        row = {
            "endpoint": endpoint["name"],
            "deployed_model_id": deployed_id,
            "logging_time": datetime.fromtimestamp(time.time(), timezone.utc).isoformat(),
            "request_id": str(secrets.randbits(63)),
            "request_payload": payload(request, "instances"),
            "response_payload": payload(response, "predictions"),
        }
        place = config["bigqueryDestination"]["outputUri"][len("bq://") :].partition(".")[2]
        timer = threading.Timer(self.lag_s, self.write, (place, row))
        timer.daemon = True
        timer.start()

    def write(self, name: str, row: Json) -> None:
        with self.warehouse.lock:
            if self.loses or name.partition(".")[0] not in self.warehouse.datasets:
                return
            if name not in self.warehouse.tables:
                self.warehouse.put_table(name, {"schema": {"fields": COLUMNS}})
            self.warehouse.buffer.append(name, [row])


def payload(body: bytes, key: str) -> List[str]:
    """Return each instance or prediction of a body as JSON; the body itself if it holds none."""
    try:
        found: Any = json.loads(body)[key]
        entries = found if isinstance(found, list) else [found]
        return [json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in entries]
    except (ValueError, KeyError, TypeError):
        return [body.decode("utf-8", "replace")]
