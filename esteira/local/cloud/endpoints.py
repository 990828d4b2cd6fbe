"""The stand-in of Vertex AI's endpoints: deployed models, traffic, and predictions by what serves each model.

The rules are those that Google's reference gives for trafficSplit, deployModel and undeployModel.
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Tuple

from esteira.clock import now
from esteira.local.cloud.models import Models, checked
from esteira.local.cloud.numbers import numbered
from esteira.local.cloud.operations import Json, Operations
from esteira.local.cloud.refusal import Refused, missing, there_already
from esteira.local.cloud.server import Call, Handler, Raw

ENDPOINT_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,8}")
DEPLOYED_ID = re.compile(r"[0-9]{1,10}")
CHANGEABLE = ("trafficSplit", "labels", "displayName", "description", "predictRequestResponseLoggingConfig")

# What serves a model: body -> status and answer.
Container = Callable[[bytes], Tuple[int, bytes]]
# Starts what serves a version of a model; Failed if it does not become healthy.
Start = Callable[[Json], Container]
# Logs what was asked and answered: endpoint, deployed model's id, both bodies.
Log = Callable[[Json, str, bytes, bytes], None]


def log_nothing(endpoint: Json, deployed_id: str, request: bytes, response: bytes) -> None:
    """What an endpoint does without a warehouse."""


@dataclass
class Endpoints:
    """All endpoints by their name; `start` is asked for a container for each model that is deployed.

    `log` is told each request that was answered.
    """

    start: Start
    operations: Operations = field(default_factory=Operations)
    known: Dict[str, Json] = field(default_factory=dict)
    asked: int = 0
    log: Log = log_nothing

    def __post_init__(self) -> None:
        self.models = Models(self.operations)
        self._containers: Dict[Tuple[str, str], Container] = {}
        self._begun: List[Tuple[str, str]] = []

    def handlers(self) -> Dict[str, Handler]:
        methods: Dict[str, Handler] = {
            "create": self.create,
            "get": self.get,
            "list": self.list,
            "patch": self.patch,
            "delete": self.delete,
            "deployModel": self.deploy,
            "undeployModel": self.undeploy,
            "predict": self.predict,
            "rawPredict": self.raw_predict,
        }
        own = {f"aiplatform.projects.locations.endpoints.{name}": handler for name, handler in methods.items()}
        return {**own, **self.models.handlers(), **self.operations.handlers()}

    def create(self, call: Call) -> Json:
        body = call.body or {}
        if not body.get("displayName"):
            raise Refused(400, "Required field endpoint.displayName is not set.")
        if "network" in body:
            raise Refused(501, "the stand-in has no private endpoints")
        with self.operations.lock:
            identity = checked(ENDPOINT_ID, call.parameters.get("endpointId", str(len(self.known) + 1)))
            name = f"{numbered(call.parameters['parent'])}/endpoints/{identity}"
            if name in self.known or (name, "") in self._begun:
                raise there_already(name)
            self._begun.append((name, ""))
            made = {**body, "name": name, "createTime": now(), "updateTime": now(), "deployedModels": []}
            return self.operations.begin(name, "CreateEndpoint", lambda: self.add(name, made))

    def add(self, name: str, made: Json) -> Json:
        self.known[name] = {**made, "trafficSplit": {}}
        return {"name": name}

    def find(self, name: str) -> Json:
        self.operations.look()
        if numbered(name) not in self.known:
            raise missing(numbered(name))
        return self.known[numbered(name)]

    def get(self, call: Call) -> Json:
        with self.operations.lock:
            return self.find(call.parameters["name"])

    def list(self, call: Call) -> Json:
        """Answer all endpoints, or those of one displayName, the one filter that is known here."""
        wanted = call.parameters.get("filter", "")
        match = re.fullmatch(r'(?:displayName|display_name)="([^"]+)"', wanted)
        if wanted and not match:
            raise Refused(501, f"the stand-in does not know the filter {wanted}")
        found = [one for one in self.known.values() if not match or one["displayName"] == match.group(1)]
        return {"endpoints": found}

    def patch(self, call: Call) -> Json:
        body, fields = call.body or {}, call.parameters.get("updateMask", "").split(",")
        with self.operations.lock:
            endpoint = self.find(call.parameters["name"])
            for name in map(camel, fields):
                if name not in CHANGEABLE:
                    raise Refused(400, f"Field {name} cannot be updated.")
                if name == "trafficSplit":
                    check_traffic(body.get(name, {}), [one["id"] for one in endpoint["deployedModels"]])
                endpoint[name] = body.get(name, {})
            endpoint["updateTime"] = now()
            return endpoint

    def delete(self, call: Call) -> Json:
        with self.operations.lock:
            name = self.find(call.parameters["name"])["name"]
            if self.known[name]["deployedModels"]:
                raise Refused(400, f"Endpoint {name} still has DeployedModels.", word="FAILED_PRECONDITION")
            return self.operations.begin(name, "Delete", lambda: self.forget(name))

    def forget(self, name: str) -> Json:
        del self.known[name]
        self._begun.remove((name, ""))
        return {}

    def deploy(self, call: Call) -> Json:
        deployed, traffic = dict(call.body["deployedModel"]), call.body.get("trafficSplit")
        with self.operations.lock:
            endpoint = self.find(call.parameters["endpoint"])
            name = endpoint["name"]
            deployed.setdefault("id", str(1000 + len(self._begun)))
            check_deployed(deployed)
            model = self.models.find(deployed["model"])
            there = [one["id"] for one in endpoint["deployedModels"]]
            if (name, checked(DEPLOYED_ID, deployed["id"])) in self._begun:
                raise there_already(f"DeployedModel {deployed['id']}")
            if traffic:
                check_traffic(traffic, ["0", *there])
            self._begun.append((name, deployed["id"]))
            made = {**deployed, "model": model["name"], "modelVersionId": model["versionId"]}
            act = lambda: self.add_deployed(endpoint, made, model, traffic)  # noqa: E731
            return self.operations.begin(name, "DeployModel", act)

    def add_deployed(self, endpoint: Json, deployed: Json, model: Json, traffic: Dict[str, int]) -> Json:
        key = (endpoint["name"], deployed["id"])
        try:
            self._containers[key] = self.start(model)
        except BaseException:
            self._begun.remove(key)
            raise
        endpoint["deployedModels"].append({**deployed, "createTime": now()})
        if traffic:
            endpoint["trafficSplit"] = {deployed["id"] if name == "0" else name: n for name, n in traffic.items()}
        return {"deployedModel": endpoint["deployedModels"][-1]}

    def undeploy(self, call: Call) -> Json:
        identity, traffic = call.body.get("deployedModelId", ""), call.body.get("trafficSplit")
        with self.operations.lock:
            endpoint = self.find(call.parameters["endpoint"])
            there = [one["id"] for one in endpoint["deployedModels"]]
            if identity not in there:
                raise missing(f"DeployedModel {identity}")
            if traffic:
                check_traffic(traffic, there)
            split = traffic or endpoint["trafficSplit"]
            if split.get(identity) and len(there) > 1:
                raise Refused(400, f"DeployedModel {identity} has traffic assigned and cannot be undeployed.")
            act = lambda: self.remove_deployed(endpoint, identity, split)  # noqa: E731
            return self.operations.begin(endpoint["name"], "UndeployModel", act)

    def remove_deployed(self, endpoint: Json, identity: str, split: Dict[str, int]) -> Json:
        endpoint["deployedModels"] = [one for one in endpoint["deployedModels"] if one["id"] != identity]
        endpoint["trafficSplit"] = {name: share for name, share in split.items() if name != identity}
        self._begun.remove((endpoint["name"], identity))
        del self._containers[endpoint["name"], identity]
        return {}

    def predict(self, call: Call) -> Json:
        deployed, container = self.choose(call.parameters["endpoint"])
        model = self.models.find(f"{deployed['model']}@{deployed['modelVersionId']}")
        status, content = container(json.dumps(call.body).encode("utf-8"))
        if status != 200:
            raise Refused(status, content.decode("utf-8", "replace"))
        self.keep(call.parameters["endpoint"], deployed, call.content, content)
        return {
            "predictions": json.loads(content).get("predictions"),
            "deployedModelId": deployed["id"],
            "model": deployed["model"],
            "modelDisplayName": model["displayName"],
            "modelVersionId": deployed["modelVersionId"],
        }

    def raw_predict(self, call: Call) -> Raw:
        name = call.parameters["endpoint"]
        deployed, container = self.choose(name)
        status, content = container(call.content)
        if status == 200:
            self.keep(name, deployed, call.content, content)
        headers = {"X-Vertex-AI-Endpoint-Id": name.rpartition("/")[2], "X-Vertex-AI-Deployed-Model-Id": deployed["id"]}
        return Raw(status, content, {"Content-Type": "application/json", **headers})

    def keep(self, name: str, deployed: Json, request: bytes, response: bytes) -> None:
        with self.operations.lock:
            endpoint = self.find(name)
        self.log(endpoint, deployed["id"], request, response)

    def choose(self, name: str) -> Tuple[Json, Container]:
        """Return the deployed model that answers next, as the traffic is split, and what serves it."""
        with self.operations.lock:
            endpoint = self.find(name)
            self.asked += 1
            left = self.asked % 100
            for identity, share in sorted(endpoint["trafficSplit"].items()):
                if left < share:
                    (deployed,) = [one for one in endpoint["deployedModels"] if one["id"] == identity]
                    return deployed, self._containers[endpoint["name"], identity]
                left -= share
        raise Refused(400, f"Endpoint {endpoint['name']} doesn't have traffic_split.", word="FAILED_PRECONDITION")


def check_traffic(split: Dict[str, Any], known: List[str]) -> None:
    unknown = sorted(set(split) - set(known))
    if unknown:
        raise Refused(400, f"trafficSplit names {', '.join(unknown)}, which is not deployed.")
    if split and sum(split.values()) != 100:
        raise Refused(400, f"The traffic percentage values must add up to 100, got {sum(split.values())}.")


def check_deployed(deployed: Json) -> None:
    resources = deployed.get("dedicatedResources", {})
    if not resources.get("machineSpec", {}).get("machineType") or resources.get("minReplicaCount", 0) < 1:
        raise Refused(400, "dedicatedResources needs a machineSpec and at least one replica.")
    for one in resources.get("autoscalingMetricSpecs", []):
        if not 1 <= one.get("target", 60) <= 100:
            raise Refused(400, f"Invalid target {one['target']}, expected 1 to 100.")


def camel(name: str) -> str:
    """Return a field's name as JSON has it; masks may have either form."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
