"""Images of a repository: the base from a registry, the wheels from the store, the layout's index, and a push."""

import os
from pathlib import Path

import pytest

from esteira.errors import ImageError, RegistryError
from esteira.git import git
from esteira.images.bases import base_reference
from esteira.images.code import code_of_source
from esteira.images.layout import layout_of
from esteira.images.make import Made, make_image, push_made
from esteira.images.origin import origin_of
from esteira.images.registry import RegistryClient
from esteira.images.registry.referrers import list_referrers
from esteira.images.registry.refusals import UnreachableError
from esteira.settings import Settings
from esteira.source import frozen_source
from tests.bucket_server import free_port
from tests.images.layers_read import say_nothing
from tests.images.project_made import Project, make_project, push_tiny_base
from tests.images.registry_server import RegistryServer
from tests.repositories import commit_all, write

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


def make(project: Project, settings: Settings) -> Made:
    with frozen_source(settings.root, settings.state) as source:
        code, origin = code_of_source(source), origin_of(source)
        return make_image(settings, "runtime", code, origin, environ=project.environ, say=say_nothing)


@pytest.fixture
def project(tmp_path: Path, registry: RegistryServer) -> Project:
    return make_project(tmp_path, registry.host)


def test_an_image_is_made_of_the_repository(project: Project) -> None:
    settings = project.settings()
    made = make(project, settings)
    layout = layout_of(settings)
    tagged = layout.tagged("runtime")
    assert tagged is not None and tagged.digest == made.index.digest
    assert layout.read(made.index.digest)["manifests"][0]["digest"] == made.digest
    assert [wheel.sha256 for wheel in made.materials.wheels] == [wheel.sha256 for wheel in project.wheels]


def test_a_base_that_is_here_is_not_asked_for_again(project: Project, registry: RegistryServer) -> None:
    settings = project.settings()
    first = make(project, settings)
    asked = registry.log.read_text(errors="replace")
    assert make(project, settings).digest == first.digest
    assert registry.log.read_text(errors="replace") == asked


def test_a_commit_that_changes_no_file_of_it_gives_the_same_image(project: Project) -> None:
    settings = project.settings()
    first = make(project, settings)
    write(project.root / "README.md", "read me\n")
    commit_all(project.root)
    second = make(project, settings)
    assert second.digest == first.digest
    assert second.index.digest != first.index.digest


def test_a_clone_with_other_line_ends_gives_the_same_image(project: Project, tmp_path: Path) -> None:
    commit_all(project.root)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "-c", "core.autocrlf=true", str(project.root), str(clone))
    assert b"\r\n" in (clone / "requirements.lock").read_bytes()
    there = project._replace(root=clone)
    first = make(project, project.settings())
    assert make(there, there.settings()).digest == first.digest


def test_a_name_of_no_encoding_gets_into_the_image(project: Project) -> None:
    (project.root / "pipeline" / os.fsdecode(b"caf\xe9.txt")).write_text("black")
    made = make(project, project.settings())
    assert make(project, project.settings()).digest == made.digest


def test_what_goes_with_an_image_is_pushed_with_it_whatever_was_made_since(
    project: Project, registry: RegistryServer
) -> None:
    settings = project.settings()
    first = make(project, settings)
    write(project.root / "pipeline" / "new.py", "NEW = 1\n")
    assert make(project, settings).digest != first.digest
    push_made(settings, first, f"{registry.host}/team", project.environ)
    listed = list_referrers(RegistryClient(registry.host, {}), "team/runtime", first.digest)
    assert listed.digests == {entry.digest for entry in first.referrers}


def test_a_push_is_found_by_the_digest_that_was_built(project: Project, registry: RegistryServer) -> None:
    settings = project.settings()
    made = make(project, settings)
    target = f"{registry.host}/team/images"
    pushed = push_made(settings, made, target, project.environ)
    client = RegistryClient(registry.host, {})
    assert client.get_manifest("team/images/runtime", made.digest).digest == made.digest
    tag = made.digest.partition(":")[2][:12]
    assert client.resolve("team/images/runtime", tag) == made.index.digest == pushed.digest
    again = push_made(settings, made, target, project.environ)
    assert (again.blobs_sent, again.bytes_sent) == (0, 0)


def test_a_mirror_stands_for_the_bases_registry(project: Project, registry: RegistryServer, tmp_path: Path) -> None:
    path = project.root / "docker" / "bases.toml"
    path.write_text(path.read_text().replace(f"{registry.host}/", "docker.io/"))
    push_tiny_base(tmp_path / "again", registry.host)
    settings = project.settings(images__mirrors=f"docker.io={registry.host}")
    made = make(project, settings)
    assert str(base_reference(settings, made.materials.base)) == f"{registry.host}/library/python@{project.base.digest}"
    assert made.image.config["config"]["Labels"]["org.opencontainers.image.base.name"] == (
        "docker.io/library/python:3.8-slim"
    )


def test_a_base_that_cannot_be_reached_is_told(project: Project, registry: RegistryServer) -> None:
    path = project.root / "docker" / "bases.toml"
    path.write_text(path.read_text().replace(registry.host, f"127.0.0.1:{free_port()}"))
    with pytest.raises(UnreachableError):
        make(project, project.settings())


def test_a_base_that_the_registry_has_not_is_told(project: Project) -> None:
    path = project.root / "docker" / "bases.toml"
    path.write_text(path.read_text().replace(project.base.digest, f"sha256:{'1' * 64}"))
    with pytest.raises(RegistryError, match=f"sha256:{'1' * 64}"):
        make(project, project.settings())


def test_a_lock_without_its_list_of_wheels_is_told(project: Project) -> None:
    (project.root / "requirements.wheels").unlink()
    with pytest.raises(ImageError) as caught:
        make(project, project.settings())
    assert str(caught.value) == f"{project.root}/requirements.wheels: no such file. Run: make lock"


def test_an_entry_of_the_lock_without_a_hash_is_told(project: Project) -> None:
    lock = project.root / "requirements.lock"
    lock.write_text(lock.read_text() + "bare==1.0\n")
    with pytest.raises(ImageError) as caught:
        make(project, project.settings())
    assert str(caught.value) == (
        f'{lock}:7: "bare==1.0" has no hash. Expected --hash=sha256:<64 hex> for each of its distributions.\n'
        "Run: make lock"
    )
