"""The bill of materials is sound by CycloneDX's own schema, and names every wheel by its hash."""

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, Dict

import jsonschema
import pytest

from esteira.images.build import Materials
from esteira.images.layers.metadata import read_package
from esteira.images.layout import Layout
from esteira.images.sbom import bill_of_materials
from tests.images.image_made import make_tiny

SCHEMAS = "cyclonedx.schema._res"


@pytest.fixture
def materials(tmp_path: Path) -> Materials:
    return make_tiny(tmp_path).materials()


def bill(materials: Materials, tmp_path: Path) -> bytes:
    packages = {wheel.name: read_package(Layout(tmp_path / "images"), wheel) for wheel in materials.wheels}
    return bill_of_materials(materials.wheels, packages, materials.base)


def schema(name: str) -> Dict[str, Any]:
    document: Dict[str, Any] = json.loads(resources.read_text(SCHEMAS, f"{name}.SNAPSHOT.schema.json"))
    return document


def test_the_bill_is_sound_by_cyclonedxs_schema(materials: Materials, tmp_path: Path) -> None:
    main = schema("bom-1.5")
    others = {f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json": schema(name) for name in ("spdx", "jsf-0.82")}
    resolver = jsonschema.RefResolver(main["$id"], main, store=others)
    validator = jsonschema.Draft7Validator(main, resolver=resolver)
    document = json.loads(bill(materials, tmp_path))
    assert [error.message for error in validator.iter_errors(document)] == []
    # The schema would see a fault.
    assert list(validator.iter_errors({**document, "components": [{"name": "x"}]}))


def test_the_bill_names_wheels_and_base_by_hash(materials: Materials, tmp_path: Path) -> None:
    document = json.loads(bill(materials, tmp_path))
    found = {
        (part["type"], part["name"], part["version"]): part["hashes"][0]["content"] for part in document["components"]
    }
    assert found == {
        ("container", "example.test/library/python", "3.8-slim"): materials.base.digest.partition(":")[2],
        **{("library", wheel.name, wheel.version): wheel.sha256 for wheel in materials.wheels},
    }
    (one,) = [part for part in document["components"] if part["name"] == "one"]
    assert one["purl"] == "pkg:pypi/one@1.0"
    assert one["licenses"] == [{"license": {"name": "MIT"}}]
    assert one["hashes"] == [{"alg": "SHA-256", "content": materials.wheels[0].sha256}]


def test_the_bill_tells_what_needs_what(materials: Materials, tmp_path: Path) -> None:
    document = json.loads(bill(materials, tmp_path))
    needs = {part["ref"]: part.get("dependsOn", []) for part in document["dependencies"]}
    assert needs["pkg:pypi/one@1.0"] == ["pkg:pypi/rich@1.0"]
    assert needs["image"] == ["pkg:pypi/one@1.0", "pkg:pypi/rich@1.0", "pkg:pypi/stored@1.0"]


def test_the_bill_has_the_same_bytes_each_time(materials: Materials, tmp_path: Path) -> None:
    first = bill(materials, tmp_path)
    turned = replace(materials, wheels=materials.wheels[::-1])
    assert bill(materials, tmp_path) == bill(turned, tmp_path) == first
    assert json.loads(first)["metadata"]["timestamp"] == "1980-01-01T00:00:00+00:00"
    fewer = replace(materials, wheels=materials.wheels[1:])
    assert json.loads(bill(fewer, tmp_path))["serialNumber"] != json.loads(first)["serialNumber"]
