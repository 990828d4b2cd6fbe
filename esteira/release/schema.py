"""The published JSON Schema of release.json, made from the manifest's types.

https://json-schema.org/draft-07/schema
"""

import copy
from pathlib import Path
from typing import Any, Dict

from esteira.errors import TemplateError
from esteira.files import write_text
from esteira.release.manifest import PARTS, Release, json_text

PATH = Path("docs") / "release.schema.json"
DRAFT = "http://json-schema.org/draft-07/schema#"


def release_schema() -> Dict[str, Any]:
    """Return the JSON Schema of a manifest, as a JSON object."""
    # A copy, as pydantic keeps its own.
    schema = copy.deepcopy(Release.schema())
    properties: Dict[str, Any] = schema["properties"]
    for name, field in Release.__fields__.items():
        if field.allow_none:
            properties[name] = or_null(properties[name])
    part = properties["parts"].pop("additionalProperties")
    properties["parts"].update(
        properties={name: part for name in PARTS}, required=list(PARTS), additionalProperties=False
    )
    return {"$schema": DRAFT, **schema, "title": "release.json of Esteira"}


def or_null(values: Dict[str, Any]) -> Dict[str, Any]:
    """Return the schema of a value that may be null, which pydantic 1 leaves out."""
    told = {name: values.pop(name) for name in ("title", "description") if name in values}
    return {**told, "anyOf": [values, {"type": "null"}]}


def write_schema(root: Path) -> None:
    """Write docs/release.schema.json of the repository at `root`."""
    write_text(root / PATH, json_text(release_schema()))


def check_schema(root: Path) -> None:
    """Raise TemplateError unless docs/release.schema.json is what the manifest's types give."""
    path = root / PATH
    if not path.exists() or path.read_text(encoding="utf-8") != json_text(release_schema()):
        raise TemplateError(f"{PATH}: is not the schema that esteira/release/manifest.py gives. Run: make generate")
