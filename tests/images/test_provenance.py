"""The statement has the form of in-toto's and SLSA's, and names all materials by digest."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from esteira.images.layers.key import FORM
from esteira.images.origin import Origin
from esteira.images.provenance import provenance
from esteira.release.digest import digest_value
from tests.images.image_made import ORIGIN, Tiny, make_tiny

pytestmark = pytest.mark.programs


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return make_tiny(tmp_path)


def test_the_statement_is_about_the_manifest_and_names_all_materials(tiny: Tiny) -> None:
    image, materials = tiny.build(), tiny.materials()
    statement = json.loads(provenance(image, materials, ORIGIN))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    digest = image.manifest.digest.partition(":")[2]
    assert statement["subject"] == [{"name": "esteira/runtime", "digest": {"sha256": digest}}]
    build = statement["predicate"]["buildDefinition"]
    assert build["buildType"] == "urn:esteira:image:v1"
    assert build["externalParameters"] == {
        "specification": "docker/runtime.toml",
        "values": materials.spec.dict(),
        "platform": "linux/amd64",
    }
    assert build["resolvedDependencies"] == [
        {"name": "source", "uri": "git+https://example.test/a/b", "digest": {"gitCommit": ORIGIN.commit}},
        {
            "name": "base",
            "uri": "docker://example.test/library/python:3.8-slim",
            "digest": {"sha256": materials.base.digest.partition(":")[2]},
        },
        {
            "name": "lock",
            "uri": "requirements.lock",
            "digest": {"sha256": materials.lock_digest.partition(":")[2]},
        },
        {
            "name": "code",
            "uri": "esteira,pipeline",
            "digest": {"sha256": digest_value(dict(materials.code.files)).partition(":")[2]},
        },
        *(
            {
                "name": f"{wheel.name}-1.0-py3-none-any.whl",
                "uri": f"pkg:pypi/{wheel.name}@1.0",
                "digest": {"sha256": wheel.sha256},
            }
            for wheel in sorted(tiny.wheels, key=lambda wheel: wheel.name)
        ),
    ]
    assert statement["predicate"]["runDetails"] == {
        "builder": {"id": "urn:esteira:builder", "version": {"form": str(FORM)}}
    }


def test_the_statement_has_the_same_bytes_each_time(tiny: Tiny) -> None:
    image, materials = tiny.build(), tiny.materials()
    first = provenance(image, materials, ORIGIN)
    assert provenance(image, replace(materials, wheels=tiny.wheels[::-1]), ORIGIN) == first


def test_before_the_first_commit_no_commit_is_named(tiny: Tiny) -> None:
    statement = json.loads(provenance(tiny.build(), tiny.materials(), Origin("", True, "")))
    names = [part["name"] for part in statement["predicate"]["buildDefinition"]["resolvedDependencies"]]
    assert names[:3] == ["base", "lock", "code"]
