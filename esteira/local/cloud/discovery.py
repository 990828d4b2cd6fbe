"""Google's discovery documents: which requests there are, and what their bodies may hold.

The documents in documents/ are cut from Google's own by `python -m esteira.local.cloud.cut`. What they do not
say, such as which combinations of fields are valid, is not checked.
https://developers.google.com/discovery/v1/reference/apis
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple
from urllib.parse import unquote

DOCUMENTS = Path(__file__).with_name("documents")
# Parameters that every method of Google's takes. https://cloud.google.com/apis/docs/system-parameters
SYSTEM = {"alt", "fields", "key", "prettyPrint", "quotaUser", "userIp", "$alt", "$.xgafv", "access_token"}
# Those of contents. https://cloud.google.com/storage/docs/uploads-downloads
SYSTEM |= {"uploadType", "upload_id", "upload_protocol"}
INT = re.compile(r"-?[0-9]+\Z")

Schema = Dict[str, Any]


@dataclass(frozen=True)
class Method:
    """A method of an API, such as cloudbuild.projects.locations.builds.create."""

    id: str
    http: str
    path: "re.Pattern[str]"
    names: Tuple[str, ...]
    parameters: Mapping[str, Schema]
    request: str
    response: str


class Discovery:
    """One API: finds the method that a request calls, and the faults of bodies."""

    def __init__(self, document: Dict[str, Any]) -> None:
        self.base: str = document["servicePath"]
        self._schemas: Dict[str, Schema] = document["schemas"]
        # Those with a verb first: what stands before it would take it for a part of a name.
        entries = sorted(document["methods"], key=lambda entry: ":" not in entry["path"])
        self.methods: List[Method] = [make_method(entry) for entry in entries]

    def find(self, http: str, path: str) -> Optional[Tuple[Method, Dict[str, str]]]:
        """Return the method for a path relative to the API's base, and the parameters in the path."""
        for method in self.methods:
            match = method.path.fullmatch(path)
            if match and method.http == http:
                return method, dict(zip(method.names, map(unquote, match.groups())))
        return None

    def query_faults(self, method: Method, query: Mapping[str, str]) -> Iterator[str]:
        """Yield what is wrong with the parameters after the question mark."""
        for name, value in query.items():
            known = method.parameters.get(name)
            if known is None or known.get("location") != "query":
                if name not in SYSTEM:
                    yield f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.'
            elif not INT.match(value) if known.get("type") == "integer" else value not in known.get("enum", [value]):
                yield f"Invalid value at '{name}': \"{value}\""

    def takes_any(self, method: Method) -> bool:
        """Return whether a method's body is passed on as it came, as google.api.HttpBody is.

        https://github.com/googleapis/googleapis/blob/master/google/api/httpbody.proto
        """
        fields = self._schemas.get(method.request, {}).get("properties", {}).values()
        return "GoogleApiHttpBody" in (method.request, *(field.get("$ref") for field in fields))

    def request_faults(self, method: Method, body: Any) -> List[str]:
        """Return what is wrong with a request's body; an empty body is one without fields."""
        if not method.request:
            return [] if body in (None, {}) else [f"{method.id} takes no body"]
        return list(self.faults(body if body is not None else {}, {"$ref": method.request}, ""))

    def response_faults(self, method: Method, body: Any) -> List[str]:
        """Return what is wrong with the body of an answer."""
        return list(self.faults(body, {"$ref": method.response}, "")) if method.response else []

    def faults(self, value: Any, schema: Schema, place: str) -> Iterator[str]:
        """Yield the faults of a JSON value, each with its place, in the words of Google's servers."""
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"]]
        kind = schema.get("type", "any")
        if value is None or kind == "any":
            return
        if kind == "object":
            yield from self._object_faults(value, schema, place)
        elif kind == "array":
            if not isinstance(value, list):
                yield f"Invalid value at '{place}': expected a list, got {json.dumps(value)[:80]}"
                return
            for index, entry in enumerate(value):
                yield from self.faults(entry, schema["items"], f"{place}[{index}]")
        elif "enum" in schema and isinstance(value, int) and not isinstance(value, bool):
            return  # By its number, which the documents do not tell. https://protobuf.dev/programming-guides/json/
        elif not is_scalar(value, kind, schema.get("format", "")):
            yield f"Invalid value at '{place}' ({schema.get('format', kind)}): {json.dumps(value)[:80]}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"Invalid value at '{place}': {json.dumps(value)}, expected one of {', '.join(schema['enum'])}"

    def _object_faults(self, value: Any, schema: Schema, place: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"Invalid value at '{place}': expected an object, got {json.dumps(value)[:80]}"
            return
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, entry in value.items():
            below = f"{place}.{name}" if place else name
            if name in known:
                yield from self.faults(entry, known[name], below)
            elif others is not None:
                yield from self.faults(entry, others, below)
            else:
                yield f"Invalid JSON payload received. Unknown name \"{name}\" at '{place}': Cannot find field."


def is_scalar(value: Any, kind: str, format: str) -> bool:
    """Return whether a value is of a type of JSON: 64-bit integers are texts, and both forms are read."""
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer" or format in ("int64", "uint64"):
        text = isinstance(value, str) and bool(INT.match(value))
        return text or (isinstance(value, int) and not isinstance(value, bool))
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, str)


def make_method(entry: Dict[str, Any]) -> Method:
    """Return a method; the values of `{+name}` may hold slashes, as the parameter's pattern has it."""
    names: List[str] = []
    pattern = ""
    for literal, plus, name in re.findall(r"([^{]+)|\{(\+?)([^}]+)\}", entry["path"]):
        if literal:
            pattern += re.escape(literal)
            continue
        names.append(name)
        known = entry["parameters"].get(name, {}).get("pattern", "")
        pattern += f"({known.lstrip('^').rstrip('$')})" if plus and known else "(.+)" if plus else "([^/:]+)"
    return Method(
        id=entry["id"],
        http=entry["httpMethod"],
        path=re.compile(pattern),
        names=tuple(names),
        parameters=entry["parameters"],
        request=entry.get("request", ""),
        response=entry.get("response", ""),
    )


@lru_cache(maxsize=None)
def versions(service: str) -> Tuple[Discovery, ...]:
    """Return the versions of a service's API that documents/ has: each has paths and schemas of its own."""
    paths = sorted(DOCUMENTS.glob(f"{service}.*.json"))
    return tuple(Discovery(json.loads(path.read_text(encoding="utf-8"))) for path in paths)


def discovery(service: str) -> Discovery:
    """Return the API of a service, such as "cloudbuild", that has one version here."""
    (api,) = versions(service)
    return api


def find_method(service: str, http: str, path: str) -> Optional[Tuple[Discovery, Method, Dict[str, str]]]:
    """Return the API whose method a path relative to the service's base calls, and the method, as `find` does."""
    for api in versions(service):
        found = api.find(http, path)
        if found:
            return (api, *found)
    return None
