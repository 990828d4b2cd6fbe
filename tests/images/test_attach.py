"""What goes with an image refers to it, and what an image of its name had before is out of the layout's index."""

import json
from dataclasses import replace
from pathlib import Path
from typing import List

import pytest

from esteira.images.attach import IMAGE, attach, kept_bill, referrers
from esteira.images.build import build_image
from esteira.images.layout import TAG
from esteira.images.media import EMPTY, INDEX, MANIFEST
from esteira.images.origin import Origin
from tests.images.image_made import ORIGIN, RUNTIME, Tiny, make_tiny
from tests.images.layers_read import say_nothing
from tests.repositories import write

pytestmark = pytest.mark.programs
SBOM, PROVENANCE = "application/vnd.cyclonedx+json", "application/vnd.in-toto+json"


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return make_tiny(tmp_path)


def tags(tiny: Tiny) -> List[str]:
    return [entry.annotations[TAG] for entry in tiny.layout.entries() if TAG in entry.annotations]


def test_the_layout_names_the_image_by_an_index_with_its_origin(tiny: Tiny) -> None:
    image = tiny.build()
    index, _ = attach(tiny.layout, image, tiny.materials(), ORIGIN)
    notes = {
        "org.opencontainers.image.revision": ORIGIN.commit,
        "org.opencontainers.image.source": "https://example.test/a/b",
    }
    assert tiny.layout.read(index.digest) == {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "annotations": notes,
        "manifests": [
            {
                "mediaType": MANIFEST,
                "digest": image.manifest.digest,
                "size": image.manifest.size_bytes,
                "platform": {"architecture": "amd64", "os": "linux"},
            }
        ],
    }
    named = tiny.layout.tagged("runtime")
    assert named is not None and named.digest == index.digest
    assert named.annotations == {**notes, TAG: "runtime"}


def test_bill_and_provenance_refer_to_the_image(tiny: Tiny) -> None:
    image = tiny.build()
    attach(tiny.layout, image, tiny.materials(), ORIGIN)
    found = {entry.artifact_type: entry for entry in referrers(tiny.layout, "runtime")}
    assert set(found) == {SBOM, PROVENANCE}
    for kind, entry in found.items():
        assert entry.annotations == {IMAGE: "runtime"}
        document = tiny.layout.read(entry.digest)
        assert document["subject"] == {
            "mediaType": MANIFEST,
            "digest": image.manifest.digest,
            "size": image.manifest.size_bytes,
        }
        assert document["artifactType"] == kind == document["layers"][0]["mediaType"]
        assert document["config"]["mediaType"] == EMPTY and document["config"]["size"] == 2
        content = tiny.layout.blob(document["layers"][0]["digest"]).read_bytes()
        assert json.loads(content)["bomFormat" if kind == SBOM else "_type"]


def test_the_same_image_again_changes_nothing(tiny: Tiny) -> None:
    first = attach(tiny.layout, tiny.build(), tiny.materials(), ORIGIN)
    before = {path: path.stat().st_mtime_ns for path in tiny.layout.folder.rglob("*") if path.is_file()}
    assert attach(tiny.layout, tiny.build(), tiny.materials(), ORIGIN) == first
    assert {path: path.stat().st_mtime_ns for path in tiny.layout.folder.rglob("*") if path.is_file()} == before


def test_what_the_image_before_had_is_out_of_the_index(tiny: Tiny) -> None:
    attach(tiny.layout, tiny.build(), tiny.materials(), ORIGIN)
    old = {entry.digest for entry in referrers(tiny.layout, "runtime")}
    write(tiny.root / "pipeline" / "pipeline.py", "ANOTHER = 1\n")
    image = tiny.build()
    attach(tiny.layout, image, tiny.materials(), ORIGIN)
    new = referrers(tiny.layout, "runtime")
    assert len(new) == 2 and not old & {entry.digest for entry in new}
    assert all(tiny.layout.read(entry.digest)["subject"]["digest"] == image.manifest.digest for entry in new)
    assert tags(tiny) == ["runtime"]


def test_the_commit_stands_beside_the_image_and_not_in_it(tiny: Tiny) -> None:
    image = tiny.build()
    one, _ = attach(tiny.layout, image, tiny.materials(), ORIGIN)
    two, _ = attach(tiny.layout, image, tiny.materials(), Origin("f" * 40, True, ""))
    assert one.digest != two.digest
    assert tiny.layout.read(two.digest)["annotations"] == {
        "org.opencontainers.image.revision": "f" * 40,
        "dev.esteira.dirty": "true",
    }
    assert tiny.layout.read(two.digest)["manifests"][0]["digest"] == image.manifest.digest


def test_images_of_two_names_lie_side_by_side(tiny: Tiny) -> None:
    attach(tiny.layout, tiny.build(), tiny.materials(), ORIGIN)
    write(tiny.root / "docker" / "runtime.toml", RUNTIME.replace("a tiny image", "another"))
    materials = replace(tiny.materials(), name="builder")
    attach(tiny.layout, build_image(tiny.layout, materials, say_nothing), materials, ORIGIN)
    assert sorted(tags(tiny)) == ["builder", "runtime"]
    assert len(referrers(tiny.layout, "runtime")) == 2
    assert len(referrers(tiny.layout, "builder")) == 2


def test_a_bill_is_made_anew_where_the_base_is_known_by_another_tag(tiny: Tiny) -> None:
    first = kept_bill(tiny.layout, tiny.materials())
    assert kept_bill(tiny.layout, tiny.materials()) == first
    path = tiny.root / "docker" / "bases.toml"
    path.write_text(path.read_text().replace('"3.8-slim"', '"3.8.20-slim"'))
    assert b'"version": "3.8.20-slim"' in kept_bill(tiny.layout, tiny.materials())


def test_a_kept_bill_that_was_damaged_is_made_anew(tiny: Tiny) -> None:
    materials = tiny.materials()
    whole = kept_bill(tiny.layout, materials)
    (bill,) = (tiny.layout.folder / "bills").iterdir()
    bill.write_bytes(b"")
    assert kept_bill(tiny.layout, materials) == whole
