"""The stand-in of Vertex AI's models and their versions.

https://cloud.google.com/vertex-ai/docs/model-registry/versioning
"""

import re
from dataclasses import dataclass, field
from typing import Any, Dict, List

from esteira.clock import now
from esteira.local.cloud.numbers import numbered
from esteira.local.cloud.operations import Json, Operations
from esteira.local.cloud.refusal import Refused, missing, there_already
from esteira.local.cloud.server import Call, Handler

MODEL_ID = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")
DEFAULT = "default"


@dataclass
class Models:
    """All models by their name, each a list of its versions."""

    operations: Operations
    known: Dict[str, List[Json]] = field(default_factory=dict)

    def handlers(self) -> Dict[str, Handler]:
        methods: Dict[str, Handler] = {
            "upload": self.upload,
            "get": self.get,
            "list": self.list,
            "listVersions": self.list_versions,
            "mergeVersionAliases": self.merge_aliases,
            "deleteVersion": self.delete_version,
            "delete": self.delete,
        }
        return {f"aiplatform.projects.locations.models.{name}": handler for name, handler in methods.items()}

    def upload(self, call: Call) -> Json:
        body, parent = call.body or {}, numbered(call.parameters["parent"])
        model = check_model(body.get("model", {}))
        with self.operations.lock:
            if "parentModel" in body:
                name = numbered(body["parentModel"])
                if name not in self.known:
                    raise missing(name)
            else:
                name = f"{parent}/models/{checked(MODEL_ID, body.get('modelId', f'model{len(self.known)}'))}"
                if name in self.known:
                    raise there_already(name)
            return self.operations.begin(name, "UploadModel", lambda: self.add_version(name, model))

    def add_version(self, name: str, model: Json) -> Json:
        versions = self.known.setdefault(name, [])
        version = str(max([int(one["versionId"]) for one in versions], default=0) + 1)
        aliases = [*model.get("versionAliases", []), *([] if versions else [DEFAULT])]
        made = {**model, "name": name, "versionId": version, "versionAliases": [], "versionCreateTime": now()}
        versions.append({**made, "createTime": versions[0]["createTime"] if versions else now()})
        self.move_aliases(name, versions[-1], aliases)
        return {"model": name, "modelVersionId": version}

    def move_aliases(self, name: str, version: Json, aliases: List[str]) -> None:
        """Give a version aliases, which no other one has from then on; `-alias` takes one away."""
        for alias in aliases:
            if alias.startswith("-"):
                version["versionAliases"] = [known for known in version["versionAliases"] if known != alias[1:]]
                continue
            checked(ALIAS, alias)
            for other in self.known[name]:
                other["versionAliases"] = [known for known in other["versionAliases"] if known != alias]
            version["versionAliases"].append(alias)

    def find(self, text: str) -> Json:
        """Return the version that models/ID@version or models/ID@alias names, without it the default one."""
        name, _, wanted = numbered(text).partition("@")
        for version in self.known.get(name, []):
            if (wanted or DEFAULT) in (version["versionId"], *version["versionAliases"]):
                return version
        raise missing(numbered(text))

    def get(self, call: Call) -> Json:
        with self.operations.lock:
            self.operations.look()
            return self.find(call.parameters["name"])

    def list(self, call: Call) -> Json:
        with self.operations.lock:
            return {"models": [self.find(name) for name in self.known]}

    def list_versions(self, call: Call) -> Json:
        name = numbered(call.parameters["name"])
        if name not in self.known:
            raise missing(name)
        return {"models": self.known[name]}

    def merge_aliases(self, call: Call) -> Json:
        with self.operations.lock:
            version = self.find(call.parameters["name"])
            self.move_aliases(version["name"], version, (call.body or {}).get("versionAliases", []))
            return version

    def delete_version(self, call: Call) -> Json:
        with self.operations.lock:
            version = self.find(call.parameters["name"])
            if len(self.known[version["name"]]) == 1:
                raise Refused(400, "Deleting the only version in the Model is not allowed.")
            return self.operations.begin(version["name"], "DeleteModelVersion", lambda: self.remove(version))

    def delete(self, call: Call) -> Json:
        with self.operations.lock:
            name = self.find(call.parameters["name"])["name"]
            return self.operations.begin(name, "Delete", lambda: self.forget(name))

    def forget(self, name: str) -> Json:
        del self.known[name]
        return {}

    def remove(self, version: Json) -> Json:
        self.known[version["name"]].remove(version)
        return {}


def check_model(model: Json) -> Json:
    """Return a model as it was sent; Refused for what it must have."""
    for lacks, given in (
        ("model.displayName", model.get("displayName")),
        ("model.containerSpec.imageUri", model.get("containerSpec", {}).get("imageUri")),
    ):
        if not given:
            raise Refused(400, f"Required field {lacks} is not set.")
    if not model.get("artifactUri", "gs://").startswith("gs://"):
        raise Refused(400, f"Invalid Cloud Storage URI: {model['artifactUri']}")
    return model


def checked(pattern: "re.Pattern[str]", value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Refused(400, f"Invalid value {value!r}, expected {pattern.pattern}")
    return value
