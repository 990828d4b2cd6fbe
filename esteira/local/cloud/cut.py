"""Cuts Google's discovery documents to what the engine and the tests use of them.

Run: python -m esteira.local.cloud.cut FOLDER, where FOLDER holds <service>.<version>.json as the package
google-api-python-client has them in googleapiclient/discovery_cache/documents (Apache License 2.0).
"""

import json
import re
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, Set

from esteira.files import write_text
from esteira.local.cloud.discovery import DOCUMENTS

METHODS = Path(__file__).with_name("methods.txt")
# What is kept of a parameter and of a schema: descriptions are left out.
KEPT = ("type", "format", "enum", "pattern", "location", "required", "repeated", "$ref", "items")


def main() -> None:
    (folder,) = sys.argv[1:]
    wanted: Dict[str, Set[str]] = {}
    for line in METHODS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            api, method = line.split()
            wanted.setdefault(api, set()).add(method)
    for api, methods in sorted(wanted.items()):
        document = json.loads((Path(folder) / f"{api}.json").read_text(encoding="utf-8"))
        write_text(DOCUMENTS / f"{api}.json", json.dumps(cut(document, methods), indent=1, sort_keys=True) + "\n")


def cut(document: Dict[str, Any], methods: Set[str]) -> Dict[str, Any]:
    """Return a document of these methods and what their bodies hold; KeyError for one that Google does not have."""
    known = {method["id"]: method for method in all_methods(document)}
    kept = [cut_method(known[name]) for name in sorted(methods)]
    schemas: Dict[str, Any] = {}
    for method in kept:
        for key in ("request", "response"):
            reach(document["schemas"], method.get(key, ""), schemas)
    return {
        "id": document["id"],
        "revision": document["revision"],
        "servicePath": document["servicePath"],
        "methods": kept,
        "schemas": schemas,
    }


def all_methods(resource: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for below in resource.get("resources", {}).values():
        yield from all_methods(below)


def cut_method(method: Dict[str, Any]) -> Dict[str, Any]:
    kept = {key: method[key] for key in ("id", "httpMethod", "path")}
    kept["parameters"] = {name: cut_schema(value) for name, value in method.get("parameters", {}).items()}
    for key in ("request", "response"):
        if key in method:
            kept[key] = method[key]["$ref"]
    # By these a client knows that contents may come with a request.
    kept.update({key: method[key] for key in ("mediaUpload", "supportsMediaUpload") if key in method})
    return kept


def cut_schema(schema: Dict[str, Any]) -> Dict[str, Any]:
    kept = {key: value for key, value in schema.items() if key in KEPT}
    if "items" in kept:
        kept["items"] = cut_schema(kept["items"])
    if "properties" in schema:
        kept["properties"] = {name: cut_schema(value) for name, value in schema["properties"].items()}
    if "additionalProperties" in schema:
        kept["additionalProperties"] = cut_schema(schema["additionalProperties"])
    return kept


def reach(schemas: Dict[str, Any], name: str, found: Dict[str, Any]) -> None:
    """Put a schema and all that it refers to into `found`."""
    if not name or name in found:
        return
    found[name] = cut_schema(schemas[name])
    for below in re.findall(r'"\$ref": "([^"]+)"', json.dumps(found[name])):
        reach(schemas, below, found)


if __name__ == "__main__":
    main()
