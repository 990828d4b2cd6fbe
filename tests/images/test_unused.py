"""What gc finds in the layout: what no image made last, no kept release and no base needs."""

from pathlib import Path
from typing import Set

import pytest

from esteira.images.layout import layout_of, using
from esteira.images.unused import unused_paths
from esteira.release.collect_local import unused_images
from tests.images.project_made import Project, make_project
from tests.images.registry_server import RegistryServer
from tests.images.test_make import make
from tests.repositories import write

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


@pytest.fixture
def project(tmp_path: Path, registry: RegistryServer) -> Project:
    return make_project(tmp_path, registry.host)


def blobs(paths: "list[Path]") -> Set[str]:
    return {f"sha256:{path.name}" for path in paths if path.parent.name == "sha256"}


def test_only_what_an_image_made_before_has_for_itself_is_unused(project: Project) -> None:
    settings = project.settings()
    layout, first = layout_of(settings), make(project, settings)
    assert unused_images(settings, []) == []
    write(project.root / "pipeline" / "new.py", "NEW = 1\n")
    second = make(project, settings)
    unused = blobs(unused_images(settings, []))
    own = {layer.digest for layer in first.image.layers} - {layer.digest for layer in second.image.layers}
    assert {first.digest, first.index.digest, *own, *(entry.digest for entry in first.referrers)} <= unused
    shared = {layer.digest for layer in second.image.layers} | {second.digest, project.base.digest}
    assert not shared & unused
    kept = unused_paths(layout, [first.digest, project.base.digest])
    assert not {first.digest, *own} & blobs(kept)


def test_what_is_left_after_a_collection_is_enough_to_build_again(project: Project) -> None:
    settings = project.settings()
    first = make(project, settings)
    write(project.root / "pipeline" / "new.py", "NEW = 1\n")
    second = make(project, settings)
    for path in unused_images(settings, []):
        path.unlink() if path.is_file() else [file.unlink() for file in path.iterdir()]
    assert make(project, settings).digest == second.digest
    (project.root / "pipeline" / "new.py").unlink()
    assert make(project, settings).digest == first.digest


def test_nothing_is_unused_while_an_image_is_made(project: Project) -> None:
    settings = project.settings()
    make(project, settings)
    write(project.root / "pipeline" / "new.py", "NEW = 1\n")
    make(project, settings)
    with using(layout_of(settings)):
        assert unused_images(settings, []) == []
    assert unused_images(settings, []) != []
