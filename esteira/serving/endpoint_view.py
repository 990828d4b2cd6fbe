"""The server as a Vertex AI endpoint: what is deployed to it, and how the traffic is split.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints#Endpoint
"""

from typing import Any, Dict, Mapping, Optional

from esteira.serving.answer_log import LogRule
from esteira.serving.answers import model_resource
from esteira.serving.catalogue import Catalogue, Share

# The label that tells what the request log keeps of texts, for which Vertex AI has no field.
LOG_TEXT = "log_text"


def describe_endpoint(catalogue: Catalogue, rule: LogRule) -> Dict[str, Any]:
    """Return the answer of GET .../endpoints/ID. Until a model is loaded, nothing is deployed."""
    shares = catalogue.shares
    described: Dict[str, Any] = {
        "name": catalogue.endpoint,
        "displayName": catalogue.endpoint.rpartition("/")[2],
        "deployedModels": [describe_deployed(share) for share in shares],
        "trafficSplit": {share.model.deployed.id: share.percent for share in shares},
        "predictRequestResponseLoggingConfig": {"enabled": rule.percent > 0, "samplingRate": rule.percent / 100},
        "labels": {LOG_TEXT: rule.text},
    }
    created = sorted(share.model.created for share in shares)
    # Google's clients take an endpoint without this for one that they have not read yet.
    return {**described, "createTime": created[0], "updateTime": created[-1]} if created else described


def read_rule(described: Mapping[str, Any]) -> Optional[LogRule]:
    """Return the rule that a server describes, None if it tells none."""
    config, labels = described.get("predictRequestResponseLoggingConfig"), described.get("labels")
    if not isinstance(config, dict) or not isinstance(labels, dict) or LOG_TEXT not in labels:
        return None
    return LogRule(round(config["samplingRate"] * 100) if config["enabled"] else 0, labels[LOG_TEXT])


def describe_deployed(share: Share) -> Dict[str, Any]:
    deployed = share.model.deployed
    return {
        "id": deployed.id,
        "model": model_resource(deployed),
        "modelVersionId": deployed.model_version,
        "displayName": deployed.release,
        "createTime": share.model.created,
    }
