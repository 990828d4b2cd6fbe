"""Google's discovery documents as its clients ask for them: googleapiclient builds its methods from one, and so bq.

https://developers.google.com/discovery/v1/reference/apis#resource
"""

import json
from typing import Any, Dict

from esteira.local.cloud.discovery import DOCUMENTS
from esteira.local.cloud.server import Call, Handler, as_raw

Json = Dict[str, Any]


def whole_document(root_url: str, service: str, version: str) -> Json:
    """Return a discovery document from the cut one, in which methods stand by their ids, for an API at `root_url`."""
    cut = json.loads((DOCUMENTS / f"{service}.{version}.json").read_text(encoding="utf-8"))
    document: Json = {
        "name": service,
        "version": version,
        "rootUrl": root_url,
        "basePath": f"/{cut['servicePath']}",
        "baseUrl": root_url + cut["servicePath"],
        "servicePath": cut["servicePath"],
        "batchPath": "batch",
        "schemas": {name: {"id": name, **schema} for name, schema in cut["schemas"].items()},
        "resources": {},
    }
    for method in cut["methods"]:
        place = document
        *resources, name = method["id"].split(".")[1:]
        for resource in resources:
            place = place.setdefault("resources", {}).setdefault(resource, {})
        bodies = {key: {"$ref": method[key]} for key in ("request", "response") if key in method}
        place.setdefault("methods", {})[name] = {**method, **bodies}
    return document


def paths() -> Dict[str, Handler]:
    """Return what answers bq, which asks the address of `--api` for BigQuery's document."""
    return {"$discovery/rest": describe_bigquery}


def describe_bigquery(call: Call) -> Any:
    return as_raw(200, whole_document(f"http://{call.headers['Host']}/", "bigquery", call.parameters["version"]))
