"""release-json.md: the fields of release.json, as its published schema has them, and an example."""

from pathlib import Path
from typing import Any, Dict, Iterator, NamedTuple

from esteira.reference.faults import Faults
from esteira.release.digest import digest_bytes
from esteira.release.manifest import (
    COMMIT_PATTERN,
    DIGEST_PATTERN,
    ID_PATTERN,
    OPTIONAL_DIGEST_PATTERN,
    PARTS,
    TIME_PATTERN,
    Outcome,
    Part,
    Release,
    identified,
    json_text,
)
from esteira.release.parts import PREFIXES
from esteira.release.schema import release_schema

# What a text that must match one of these is.
FORMS = {
    DIGEST_PATTERN: "sha256: and 64 hex digits",
    OPTIONAL_DIGEST_PATTERN: "sha256: and 64 hex digits, or empty",
    ID_PATTERN: "id of 12 hex digits",
    COMMIT_PATTERN: "commit of 40 or 64 hex digits, or empty",
    TIME_PATTERN: "time in UTC, to the second",
}
NAMES = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "object", "null": "`null`"}
BUCKET = "gs://my-project-1-esteira/sentiment"


class FieldRow(NamedTuple):
    """A field: its name, its type in words, whether it must be there, and what it means."""

    name: str
    kind: str
    is_required: bool
    meaning: str


def manifest_page(root: Path) -> Dict[str, Any]:
    """Return what the page is made of; TemplateError for a field without a description."""
    faults = Faults()
    schema = release_schema()
    definitions = schema["definitions"]
    tables = {"": schema, "parts.NAME": definitions["Part"], "outcome": definitions["Outcome"]}
    fields = {title: list(fields_of(table, faults)) for title, table in tables.items()}
    faults.check()
    return {"tables": fields, "example": json_text(example_release().dict()), "parts": PARTS}


def fields_of(schema: Dict[str, Any], faults: Faults) -> Iterator[FieldRow]:
    for name, told in schema["properties"].items():
        expected = 'Field(..., description="what it means")'
        faults.expect(told.get("description", ""), f"esteira/release/manifest.py: {name}", expected)
        yield FieldRow(name, kind_of(name, told), name in schema.get("required", ()), told.get("description", ""))


def kind_of(name: str, told: Dict[str, Any]) -> str:
    """Return the type that a schema gives a field, in words."""
    if "anyOf" in told:
        return " or ".join(kind_of(name, one) for one in told["anyOf"])
    if "allOf" in told or "$ref" in told:
        return f"[object](#{name})"
    if "enum" in told:
        return " or ".join(f"`{value}`" for value in told["enum"])
    if "const" in told:
        return f"`{told['const']}`"
    if name == "parts":
        return "[object](#partsname)"
    return FORMS.get(told.get("pattern", ""), NAMES[told["type"]])


def example_release() -> Release:
    """Return a release as a full deploy makes it, under the id that follows from it."""
    release = Release(
        id="0" * 12,
        pipeline="sentiment",
        commit="3f786850e387550fdab836ed7e6dc881de23001b",
        dirty=False,
        kind="full",
        parts={part: example_part(part) for part in PARTS},
        reason="nothing is deployed yet",
        by="ml@laptop",
        at="2026-11-22T21:12:07Z",
        build="0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        outcome=Outcome(
            run="sentiment-20261122211310",
            at="2026-11-22T21:30:41Z",
            blessed=True,
            evaluation={"metrics": {"accuracy": 0.69, "example_count": 5874.0, "macro_f1": 0.64}, "thresholds": []},
            model=f"{BUCKET}/serving/1795383030",
        ),
    )
    return identified(release)


def example_part(part: str) -> Part:
    content = digest_bytes(f"content of {part}".encode("ascii"))
    digest = digest_bytes(part.encode("ascii"))
    if part == "image":
        image = "europe-west1-docker.pkg.dev/my-project-1/esteira/runtime"
        return Part(digest=digest, content=content, uri=f"{image}@{content}")
    if part not in PREFIXES:
        return Part(digest=digest)
    return Part(digest=digest, content=content, uri=f"{BUCKET}/{PREFIXES[part]}/{content.split(':')[1]}", files=1)
