"""An image that is built again from nothing comes out the same, and what was changed on this disk is found."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from esteira.errors import ImageError
from esteira.images.code import code_of_source
from esteira.images.layout import layout_of
from esteira.images.make import Made, make_image
from esteira.images.origin import origin_of
from esteira.images.verify import Verified, compare, variables, verify_images
from esteira.source import frozen_source
from tests.images.image_made import RUNTIME, make_tiny
from tests.images.layers_read import say_nothing
from tests.images.project_made import Project, engine_files, make_project
from tests.images.registry_server import RegistryServer

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


@pytest.fixture
def project(tmp_path: Path, registry: RegistryServer) -> Project:
    """A project with this repository's engine in it, which builds again, but not in its image."""
    files = {**engine_files(), "docker/runtime.toml": RUNTIME.replace('["esteira", "pipeline"]', '["pipeline"]')}
    made = make_project(tmp_path, registry.host, more=files)
    return made._replace(environ={**made.environ, "PATH": os.environ["PATH"]})


def verify(project: Project, harm: Any = lambda made: made) -> Verified:
    """Make the image, harm it, and build it again."""
    settings = project.settings()
    with frozen_source(settings.root, settings.state) as source:
        code, origin = code_of_source(source), origin_of(source)
        made = make_image(settings, "runtime", code, origin, environ=project.environ, say=say_nothing)
        return verify_images(settings, source, [harm(made)], sys.executable, project.environ)


def test_an_image_that_is_built_again_is_the_same(project: Project) -> None:
    verified = verify(project)
    assert verified.varied[:5] == ["folder", "time zone", "locale", "hash seed", "umask"]
    told = [*verified.varied[5:], *(text.partition(" ")[0] for text in verified.same)]
    assert sorted(told) == ["clock", "user"]


def test_a_layer_that_was_changed_on_the_disk_is_found(project: Project) -> None:
    harmed: List[Tuple[str, Path]] = []

    def harm(made: Made) -> Made:
        layer = made.image.layers[1]
        path = layout_of(project.settings()).blob(layer.digest)
        content = bytearray(path.read_bytes())
        content[-20] ^= 1
        path.write_bytes(content)
        harmed.append((layer.name, path))
        return made

    with pytest.raises(ImageError) as caught:
        verify(project, harm)
    (name, path), *_ = harmed
    assert str(caught.value) == (
        "runtime: files of its layers were changed on this disk:\n"
        f"  layer {name}: {path}\n"
        "Expected the bytes that they are named by. Remove them and run: make images"
    )
    path.unlink()
    verify(project)


def test_an_image_that_comes_out_otherwise_is_told(project: Project) -> None:
    def harm(made: Made) -> Made:
        manifest = replace(made.image.manifest, digest=f"sha256:{'1' * 64}")
        return replace(made, image=replace(made.image, manifest=manifest))

    with pytest.raises(ImageError, match=rf"^runtime: was sha256:{'1' * 64}, and built again sha256:[0-9a-f]+\.\n"):
        verify(project, harm)


def test_the_layers_that_differ_are_told(tmp_path: Path) -> None:
    tiny = make_tiny(tmp_path)
    image = tiny.build()
    made = Made(image, image.manifest, [], tiny.materials())
    layers: Dict[str, List[str]] = {layer.name: [layer.digest, layer.diff_id] for layer in image.layers}
    compare(made, {"digest": image.manifest.digest, "layers": layers})
    first, second = image.layers[0], image.layers[1]
    layers.update({first.name: ["sha256:a", first.diff_id], second.name: ["sha256:b", "sha256:c"], "new": ["", ""]})
    with pytest.raises(ImageError) as caught:
        compare(made, {"digest": "sha256:d", "layers": layers})
    assert str(caught.value) == (
        f"runtime: was {image.manifest.digest}, and built again sha256:d.\n"
        f"  layer {first.name}: its packed bytes differ: {first.digest}, again sha256:a.\n"
        f"  layer {second.name}: its files differ: {second.digest}, again sha256:b.\n"
        "  layer new: was not there.\n"
        "Expected the same bytes. If a layer was changed on this disk: make clean"
    )


def test_a_build_that_verifies_gets_little_of_the_environment() -> None:
    environ = {"PATH": "/bin", "HOME": "/h", "LANG": "pt_BR", "PIP_INDEX_URL": "x", "ESTEIRA_X": "1", "PYTHONPATH": "y"}
    assert variables(environ) == {
        "PATH": "/bin",
        "HOME": "/h",
        "PIP_INDEX_URL": "x",
        "TZ": "Pacific/Auckland",
        "LC_ALL": "C",
        "LANG": "C",
        "PYTHONHASHSEED": "4321",
    }
