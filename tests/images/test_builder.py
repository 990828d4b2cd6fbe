"""The builder image is made where none of its inputs is in the registry, and found by one request after that."""

import json
from pathlib import Path
from typing import List

import pytest
import requests

from esteira.errors import ImageError
from esteira.images.builder import builder_for, builder_inputs, known_builder, record_name
from esteira.images.code import code_of_source
from esteira.images.layout import layout_of
from esteira.images.registry import RegistryClient
from esteira.release.store import open_store
from esteira.settings import Settings, load_settings
from esteira.source import frozen_source
from tests.images.former.machine import asked
from tests.images.former.specification import BUILDER, CLOUD
from tests.images.project_made import Project, make_project
from tests.images.registry_server import RegistryServer
from tests.repositories import write

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


@pytest.fixture
def project(tmp_path: Path, registry: RegistryServer) -> Project:
    return make_project(tmp_path, registry.host, more={"docker/builder.toml": BUILDER})


@pytest.fixture
def settings(project: Project, registry: RegistryServer) -> Settings:
    return project.settings(images__registry=f"{registry.host}/team")


def builder(project: Project, settings: Settings, said: List[str]) -> str:
    with frozen_source(settings.root, settings.state) as source:
        return builder_for(settings, open_store(settings), source, project.environ, said.append)


def record_of(settings: Settings) -> str:
    with frozen_source(settings.root, settings.state) as source:
        return record_name(builder_inputs(code_of_source(source)))


def test_it_is_made_once_and_then_found_by_one_request(
    project: Project, settings: Settings, registry: RegistryServer
) -> None:
    said: List[str] = []
    image = builder(project, settings, said)
    name, _, digest = image.partition("@")
    assert name == f"{registry.host}/team/builder"
    assert RegistryClient(registry.host, {}).find_manifest("team/builder", digest) == digest
    assert said[0] == "making 3 layers of packages, 0 are there"
    assert said[1].startswith(f"{image}, ") and said[1].endswith(" MB sent")
    stored = open_store(settings).read(record_of(settings))
    assert stored is not None and json.loads(stored.content) == {"image": image}
    before = registry.log.read_text(errors="replace")
    assert builder(project, settings, said) == image
    assert asked(registry, before) == [f"HEAD /v2/team/builder/manifests/{digest}"]
    assert len(said) == 2


def test_what_it_is_not_made_of_asks_for_no_other(project: Project, settings: Settings) -> None:
    before = record_of(settings)
    write(project.root / "pipeline" / "pipeline.py", "ANOTHER = 1\n")
    bases = project.root / "docker" / "bases.toml"
    bases.write_text(
        bases.read_text() + f'\n[more]\nimage = "x.test/y"\ntag = "1"\npython = "/p"\ndigest = "sha256:{"1" * 64}"\n'
    )
    assert record_of(settings) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("docker/builder.toml", "/workspace", "/elsewhere"),
        ("docker/bases.toml", "3.8-slim", "3.8-fat"),
        ("requirements.wheels", "one==1.0", "# one==1.0"),
    ],
)
def test_what_it_is_made_of_asks_for_another(
    project: Project, settings: Settings, file: str, old: str, new: str
) -> None:
    before = record_of(settings)
    path = project.root / file
    path.write_text(path.read_text().replace(old, new))
    assert record_of(settings) != before


@pytest.mark.parametrize("record", ["", "{}", "[]", '{"image": 1}', '{"image": "x.test/y/builder@sha256:1"}'])
def test_a_record_that_names_no_image_of_this_registry_is_replaced(
    project: Project, settings: Settings, record: str
) -> None:
    store, name = open_store(settings), record_of(settings)
    store.write(name, record.encode())
    image = builder(project, settings, [])
    stored = store.read(name)
    assert stored is not None and json.loads(stored.content) == {"image": image}


def test_an_image_that_the_registry_has_lost_is_pushed_again(
    project: Project, settings: Settings, registry: RegistryServer
) -> None:
    image = builder(project, settings, [])
    digest = image.partition("@")[2]
    index = layout_of(settings).tagged("builder")
    assert index is not None
    for gone in (index.digest, digest):
        requests.delete(f"{registry.url}/v2/team/builder/manifests/{gone}").raise_for_status()
    assert builder(project, settings, []) == image
    assert RegistryClient(registry.host, {}).find_manifest("team/builder", digest) == digest


def test_the_image_is_that_of_the_source_as_it_was_frozen(project: Project, settings: Settings) -> None:
    with frozen_source(settings.root, settings.state) as source:
        write(project.root / "docker" / "builder.toml", "no TOML")
        first = builder_for(settings, open_store(settings), source, project.environ, lambda text: None)
    write(project.root / "docker" / "builder.toml", BUILDER)
    assert builder(project, settings, []) == first


def test_other_steps_know_it_by_the_same_record(project: Project, settings: Settings) -> None:
    with frozen_source(settings.root, settings.state) as source:
        code = code_of_source(source)
        assert known_builder(settings, open_store(settings), code) == ""
    image = builder(project, settings, [])
    assert known_builder(settings, open_store(settings), code) == image


def test_a_specification_that_is_missing_is_told(project: Project, settings: Settings) -> None:
    (project.root / "docker" / "builder.toml").unlink()
    with pytest.raises(ImageError) as caught:
        builder(project, settings, [])
    assert str(caught.value) == "docker/builder.toml: no such file. Run: git checkout -- docker/builder.toml"


def test_without_a_registry_there_is_no_place_for_it(project: Project) -> None:
    with pytest.raises(ImageError) as caught:
        builder(project, project.settings(), [])
    assert str(caught.value) == "images.registry is not set. Expected where the builder image is to be pushed to."


def test_a_rehearsal_pushes_under_the_real_name(project: Project, registry: RegistryServer) -> None:
    write(project.root / "esteira.toml", CLOUD)
    variables = {"ESTEIRA_STATE": str(project.root.parent / "state"), "ESTEIRA_ENV": "dev"}
    settings, store = load_settings(project.root, variables, {}), open_store(project.settings())
    host = "europe-west1-docker.pkg.dev"
    environ = {**project.environ, "ESTEIRA_REGISTRY_AT": f"{host}={registry.host}"}
    with frozen_source(settings.root, settings.state) as source:
        image = builder_for(settings, store, source, environ, lambda text: None)
    name, _, digest = image.partition("@")
    assert name == f"{host}/demo-project/images/builder"
    there = RegistryClient(registry.host, {})
    assert there.find_manifest("demo-project/images/builder", digest) == digest
