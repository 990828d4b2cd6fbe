"""Service Usage's stand-in: which APIs are enabled, and the agents of services.

https://cloud.google.com/service-usage/docs/reference/rest
"""

import threading
from dataclasses import dataclass, field
from typing import Any, Dict, List, Set
from urllib.parse import parse_qs, urlsplit

from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, Handler

Json = Dict[str, Any]
TRAINING_CPUS = "aiplatform.googleapis.com/custom_model_training_cpus"


@dataclass
class ServiceUsage:
    """The APIs of one project that are enabled; `agents` are the services whose agents are there."""

    project: str
    number: str
    enabled: Set[str] = field(default_factory=lambda: {"serviceusage.googleapis.com", "storage.googleapis.com"})
    agents: Set[str] = field(default_factory=set)
    quotas: Dict[str, int] = field(default_factory=lambda: {TRAINING_CPUS: 42})
    lock: Any = field(default_factory=threading.RLock)

    def check(self, name: str) -> None:
        """Refuse a project that is not there, in the words that are the same for one that nobody may see."""
        if name not in (self.project, self.number):
            message = f"Permission denied to get service for project [{name}]."
            raise Refused(403, message, reason="AUTH_PERMISSION_DENIED")

    def batch_get(self, call: Call) -> Json:
        self.check(call.parameters["parent"].rpartition("/")[2])
        names = parse_qs(urlsplit(call.path).query).get("names", [])
        return {"services": [self.entry(name.rpartition("/")[2]) for name in names]}

    def entry(self, service: str) -> Json:
        parent = f"projects/{self.number}"
        state = "ENABLED" if service in self.enabled else "DISABLED"
        return {"name": f"{parent}/services/{service}", "parent": parent, "state": state, "config": {"name": service}}

    def batch_enable(self, call: Call) -> Json:
        self.check(call.parameters["parent"].rpartition("/")[2])
        with self.lock:
            self.enabled.update(call.body["serviceIds"])
        return {"name": "operations/acf.p2-1", "done": True, "response": {}}

    def add_agent(self, call: Call) -> Json:
        _, project, _, service = call.parameters["parent"].split("/")
        self.check(project)
        self.agents.add(service)
        return {"name": "operations/finished.DONE", "done": True, "response": {}}

    def quota(self, call: Call) -> Json:
        above, _, metric = call.parameters["name"].partition("/consumerQuotaMetrics/")
        self.check(above.split("/")[1])
        if metric not in self.quotas:
            raise Refused(404, f"Quota metric {metric} not found.")
        limit = str(self.quotas[metric])
        here = {"effectiveLimit": limit, "dimensions": {"region": "europe-west1"}}
        buckets: List[Json] = [{"effectiveLimit": "0"}, here]
        limits = [{"metric": metric, "unit": "1/{project}/{region}", "quotaBuckets": buckets}]
        return {"metric": metric, "consumerQuotaLimits": limits}

    def handlers(self) -> Dict[str, Handler]:
        return {
            "serviceusage.services.batchGet": self.batch_get,
            "serviceusage.services.batchEnable": self.batch_enable,
            "serviceusage.services.generateServiceIdentity": self.add_agent,
            "serviceusage.services.consumerQuotaMetrics.get": self.quota,
        }
