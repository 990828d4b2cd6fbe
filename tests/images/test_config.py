"""The image's documents keep the rules of image-spec v1.1 (config.md, manifest.md)."""

from pathlib import Path
from typing import Any, Dict

import pytest

from esteira.images.config import as_oci, base_history, config_document, environment, labels_of, manifest_document
from esteira.images.descriptor import Descriptor
from esteira.images.layers.store import Layer
from esteira.images.media import CONFIG, DOCKER_LAYER, LAYER, MANIFEST
from esteira.images.registry.pull import PulledImage
from esteira.images.spec import ImageSpec
from tests.images.image_made import make_tiny
from tests.images.layers_read import PLACE

LAYERS = [
    Layer(f"key {number}", f"layer {number}", f"sha256:{number:064x}", 10, f"sha256:{number + 90:064x}")
    for number in (1, 2)
]
BASE_LAYER = Descriptor(DOCKER_LAYER, f"sha256:{'b' * 64}", 20)
SPEC = ImageSpec(
    base="python",
    lock="requirements.lock",
    folders=["esteira"],
    workdir="/app",
    entrypoint=[],
    command=["python"],
    user="65532:65532",
    env={"HOME": "/tmp", "LANG": "C.UTF-8"},
    labels={"a.b": "c"},
)


def pulled(config: Dict[str, Any]) -> PulledImage:
    return PulledImage(Descriptor(MANIFEST, "sha256:0", 1), config, [BASE_LAYER], [f"sha256:{'d' * 64}"])


def test_the_configuration_says_what_a_container_runs() -> None:
    base = pulled({"config": {"Env": ["PATH=/usr/bin", "LANG=C", "GPG_KEY=x=y"], "Cmd": ["bash"], "User": "root"}})
    document = config_document(SPEC, PLACE, base, LAYERS, {"a.b": "c"})
    assert document["config"] == {
        "User": "65532:65532",
        "Env": ["PATH=/opt/venv/bin:/usr/bin", "LANG=C.UTF-8", "GPG_KEY=x=y", "HOME=/tmp"],
        "Entrypoint": [],
        "Cmd": ["python"],
        "WorkingDir": "/app",
        "Labels": {"a.b": "c"},
    }
    assert (document["os"], document["architecture"], document["created"]) == ("linux", "amd64", "1980-01-01T00:00:00Z")
    assert document["rootfs"] == {
        "type": "layers",
        "diff_ids": [*base.diff_ids, *(layer.diff_id for layer in LAYERS)],
    }


@pytest.mark.parametrize("config", [{}, {"config": {}}, {"config": {"Env": None}}])
def test_a_base_without_variables_gets_the_usual_path(config: Dict[str, Any]) -> None:
    path = "PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert environment(SPEC, PLACE, pulled(config)) == [path, "HOME=/tmp", "LANG=C.UTF-8"]


def test_each_layer_has_a_line_of_history() -> None:
    base = pulled({"history": [{"created_by": "FROM", "empty_layer": True}, {"created_by": "ADD"}]})
    for given in (base, pulled({}), pulled({"history": []})):
        document = config_document(SPEC, PLACE, given, LAYERS, {})
        lines = [line for line in document["history"] if not line.get("empty_layer")]
        assert len(lines) == len(document["rootfs"]["diff_ids"]) == 3
    assert base_history(pulled({})) == [{"created": "1980-01-01T00:00:00Z", "created_by": "base"}]
    assert document["history"][-1] == {"created": "1980-01-01T00:00:00Z", "created_by": "esteira: layer 2"}


def test_a_manifest_names_layers_of_one_kind() -> None:
    config = Descriptor(CONFIG, f"sha256:{'c' * 64}", 30)
    document = manifest_document(config, pulled({}), LAYERS, {"a.b": "c"})
    assert document == {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config.digest, "size": 30},
        "layers": [
            {"mediaType": LAYER, "digest": BASE_LAYER.digest, "size": 20},
            *(
                {"mediaType": LAYER, "digest": each.digest, "size": 10, "annotations": {"dev.esteira.key": each.key}}
                for each in LAYERS
            ),
        ],
        "annotations": {"a.b": "c"},
    }


def test_a_layer_that_oci_has_no_gzip_name_for_keeps_its_own() -> None:
    zstd = Descriptor("application/vnd.oci.image.layer.v1.tar+zstd", "sha256:0", 1)
    assert as_oci(zstd) == zstd


def test_labels_name_base_and_lock_and_no_commit(tmp_path: Path) -> None:
    materials = make_tiny(tmp_path, []).materials()
    assert labels_of(materials.spec, materials.base, materials.lock_digest) == {
        "org.opencontainers.image.title": "a tiny image",
        "org.opencontainers.image.base.name": "example.test/library/python:3.8-slim",
        "org.opencontainers.image.base.digest": materials.base.digest,
        "dev.esteira.lock.digest": materials.lock_digest,
    }
