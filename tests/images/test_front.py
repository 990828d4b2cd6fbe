"""What people type: lines about images that were made and pushed; pins that are rewritten whole or not at all."""

import re
from pathlib import Path
from typing import List

import pytest

from esteira.errors import RegistryError
from esteira.images.front import make_images, rewrite_pins
from tests.images.project_made import Project, make_project, push_tiny_base
from tests.images.registry_server import RegistryServer

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


@pytest.fixture
def project(tmp_path: Path, registry: RegistryServer) -> Project:
    return make_project(tmp_path, registry.host)


def lines_of(project: Project, **flags: str) -> List[str]:
    told: List[str] = []
    make_images(project.settings(**flags), ["runtime"], project.environ, told.append)
    return told


def test_an_image_is_told_by_digest_and_size(project: Project, registry: RegistryServer) -> None:
    first, second = lines_of(project)
    assert first == "making 3 layers of packages, 0 are there"
    base = re.escape(f"{registry.host}/library/python:3.8-slim")
    assert re.fullmatch(rf"runtime sha256:[0-9a-f]{{64}}, 0 MB, 6 layers on {base}", second)
    assert lines_of(project) == [second]


def test_a_push_tells_what_was_sent(project: Project, registry: RegistryServer) -> None:
    place = f"{registry.host}/team"
    pushed = lines_of(project, images__registry=place)[-1]
    assert re.fullmatch(
        rf"  pushed to {re.escape(place)}/runtime@sha256:[0-9a-f]{{64}}: [1-9][0-9]* blobs, [0-9.]+ MB sent", pushed
    )
    again = lines_of(project, images__registry=place)[-1]
    assert again == re.sub(r": \d+ blobs, .*$", ": 0 blobs, 0.0 MB sent", pushed)


def test_pins_are_looked_up_and_only_digests_rewritten(
    project: Project, registry: RegistryServer, tmp_path: Path
) -> None:
    path = project.root / "docker" / "bases.toml"
    before = path.read_text()
    new = push_tiny_base(tmp_path / "newer", registry.host, "a newer base")
    assert new.digest != project.base.digest
    table = rewrite_pins(project.settings(), project.environ)
    assert path.read_text() == before.replace(project.base.digest, new.digest)
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    assert cells == [["python"], [f"{registry.host}/library/python:3.8-slim"], [new.digest], ["new"]]
    unchanged = rewrite_pins(project.settings(), project.environ)
    assert [str(cell) for cell in unchanged.columns[3].cells] == [""]


def test_pins_are_put_where_there_are_none(project: Project) -> None:
    path = project.root / "docker" / "bases.toml"
    path.write_text("".join(line for line in path.open() if not line.startswith("digest")))
    rewrite_pins(project.settings(), project.environ)
    assert f'digest = "{project.base.digest}"\n' in path.read_text()


def test_nothing_is_rewritten_if_a_tag_cannot_be_found(
    project: Project, registry: RegistryServer, tmp_path: Path
) -> None:
    path = project.root / "docker" / "bases.toml"
    push_tiny_base(tmp_path / "newer", registry.host, "a newer base")
    other = path.read_text().replace("[python]", "[other]").replace("3.8-slim", "no-such-tag")
    path.write_text(path.read_text() + other)
    before = path.read_text()
    with pytest.raises(RegistryError) as caught:
        rewrite_pins(project.settings(), project.environ)
    assert str(caught.value) == (
        f"{registry.host}/library/python:no-such-tag: the registry has no such tag. Expected one that exists."
    )
    assert path.read_text() == before


def test_pins_are_looked_up_in_the_mirror(project: Project, registry: RegistryServer) -> None:
    path = project.root / "docker" / "bases.toml"
    text = path.read_text().replace(f"{registry.host}/", "docker.io/")
    path.write_text(text.replace(project.base.digest, f"sha256:{'1' * 64}"))
    rewrite_pins(project.settings(images__mirrors=f"docker.io={registry.host}"), project.environ)
    assert path.read_text() == text
