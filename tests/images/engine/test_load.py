"""Giving images to a real engine."""

import json
import os
from pathlib import Path
from typing import List

import pytest

from esteira.errors import ImageError
from esteira.images.engine.find import Engine
from esteira.images.engine.load import count_held, image_tag, inspect, load_image, uses_containerd
from esteira.images.layout import Layout
from tests.images.engine.small_image import (
    add_layer,
    add_manifest,
    add_small_image,
    remove_image,
    require_engine,
    unique_script,
)

pytestmark = pytest.mark.programs


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "images")


@pytest.fixture
def engine() -> Engine:
    return require_engine()


def test_the_id_of_an_image_is_the_digest_of_its_configuration(layout: Layout, engine: Engine, tmp_path: Path) -> None:
    manifest = add_small_image(layout, unique=unique_script(tmp_path))
    config = layout.read(manifest.digest)["config"]["digest"]
    tag = image_tag("test", manifest)
    assert tag == f"esteira/test:{manifest.digest[7:19]}"
    assert load_image(layout, manifest, tag, engine) == config
    found = inspect(engine, tag)
    assert found["Id"].rpartition(":")[2] == config[7:]
    assert found["RootFS"]["Layers"] == layout.read(config)["rootfs"]["diff_ids"]
    remove_image(engine, tag)


def test_an_image_that_the_engine_has_is_not_given_to_it_again(layout: Layout, engine: Engine, tmp_path: Path) -> None:
    manifest = add_small_image(layout, unique=unique_script(tmp_path))
    tag = image_tag("test", manifest)
    loaded = load_image(layout, manifest, tag, engine)
    # Another tag would appear with another load.
    assert load_image(layout, manifest, "esteira/test:again", engine) == loaded
    assert inspect(engine, "esteira/test:again") == {}
    remove_image(engine, tag)


def test_only_the_layers_that_the_engine_lacks_are_sent(layout: Layout, engine: Engine, tmp_path: Path) -> None:
    """Of the second image the base is gone here, so that it cannot have been sent."""
    if engine.program != "docker" or uses_containerd(engine):
        pytest.skip("only Docker takes an archive without the layers that it has")
    layers = [add_layer(layout, {name: name.encode() + bytes(tmp_path)}) for name in ("base", "first", "second")]
    images = [add_manifest(layout, [layers[0], layer]) for layer in layers[1:]]
    tags = [image_tag("test", manifest) for manifest in images]
    load_image(layout, images[0], tags[0], engine)
    assert count_held(engine, [diff_id for _, diff_id in (layers[0], layers[2])]) == 1
    base = layout.blob(layers[0][0].digest)
    base.write_bytes(b"\0" * base.stat().st_size)
    config = layout.read(images[1].digest)["config"]["digest"]
    told: List[str] = []
    assert load_image(layout, images[1], tags[1], engine, told.append) == config
    assert told == [f"docker is given {tags[1]}: 1 of 2 layers, 0.0 MB"]
    assert load_image(layout, images[1], tags[1], engine, told.append) == config
    assert len(told) == 1
    assert inspect(engine, tags[1])["RootFS"]["Layers"] == [layers[0][1], layers[2][1]]
    for tag in tags:
        remove_image(engine, tag)


def test_a_tag_that_names_another_image_is_not_taken(layout: Layout, engine: Engine, tmp_path: Path) -> None:
    first, second = (add_small_image(layout, unique=unique_script(tmp_path / n)) for n in "12")
    tag = image_tag("test", first)
    load_image(layout, second, tag, engine)
    assert load_image(layout, first, tag, engine) == layout.read(first.digest)["config"]["digest"]
    remove_image(engine, tag)
    remove_image(engine, layout.read(second.digest)["config"]["digest"])


def test_a_lost_layer_is_told(layout: Layout, tmp_path: Path) -> None:
    manifest = add_manifest(layout, [add_layer(layout, {"file": b"content"})])
    lost = layout.blob(layout.read(manifest.digest)["layers"][0]["digest"])
    lost.unlink()
    with pytest.raises(ImageError) as caught:
        load_image(layout, manifest, "esteira/test:lost", Engine("docker", {}))
    assert str(caught.value) == f"{lost}: is lost or damaged. Run: make images"


def test_what_is_no_manifest_is_told(layout: Layout) -> None:
    other = layout.add("application/json", json.dumps({"config": {}}).encode())
    with pytest.raises(ImageError) as caught:
        load_image(layout, other, "esteira/test:other", Engine("docker", {}))
    assert str(caught.value) == f"{layout.blob(other.digest)}: is no manifest of an image. Run: make images"


def test_a_layer_of_other_bytes_is_refused_with_the_words_of_the_engine(layout: Layout, engine: Engine) -> None:
    layer, _ = add_layer(layout, {"file": b"content"})
    manifest = add_manifest(layout, [(layer, "sha256:" + "0" * 64)])
    with pytest.raises(ImageError) as caught:
        load_image(layout, manifest, "esteira/test:wrong", engine)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"{engine.program} load: does not take the image esteira/test:wrong (status ")
    assert lines[-1] == f"Expected an engine with free space. See: {engine.program} system df"
    assert len(lines) > 2


@pytest.mark.parametrize("layers", [1, 30])
def test_an_engine_that_went_away_is_told(layout: Layout, engine: Engine, tmp_path: Path, layers: int) -> None:
    """With one layer its client ends after all was sent to it, with thirty in the middle."""
    if engine.program != "docker":
        pytest.skip("Podman has no server")
    gone = Engine("docker", {**engine.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    manifest = add_manifest(layout, [add_layer(layout, {"file": os.urandom(100_000)}) for _ in range(layers)])
    with pytest.raises(ImageError, match="docker load: does not take the image esteira/test:gone"):
        load_image(layout, manifest, "esteira/test:gone", gone)
