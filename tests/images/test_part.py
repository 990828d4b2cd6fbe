"""The part `image` of a release: made of what was planned, and skipped on local where no base is to be had."""

from pathlib import Path
from typing import Tuple

import pytest

from esteira.errors import ImageError, StateError
from esteira.images.builder import builder_for
from esteira.images.layout import layout_of
from esteira.images.part import image_part, is_at_hand
from esteira.images.registry import RegistryClient
from esteira.release.history import keep_release
from esteira.release.inputs import inputs_here, lay_inputs
from esteira.release.manifest import Part
from esteira.release.order import Order, make_release
from esteira.release.store import open_store
from esteira.settings import Settings, load_settings
from esteira.source import frozen_source
from tests.bucket_server import free_port
from tests.images.former.specification import BUILDER, CLOUD
from tests.images.layers_read import say_nothing
from tests.images.project_made import Project, make_project
from tests.images.registry_server import RegistryServer
from tests.repositories import write

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


@pytest.fixture
def project(tmp_path: Path, registry: RegistryServer) -> Project:
    return make_project(tmp_path, registry.host)


def planned(settings: Settings) -> Order:
    """Return an order for what is here, its listing of inputs laid in the store."""
    store = open_store(settings)
    with frozen_source(settings.root, settings.state) as source:
        inputs = inputs_here(settings, source)
        lay_inputs(store, inputs)
        parts = {name: found.digest for name, found in inputs.items()}
        return Order(
            kind="full",
            reason="a test",
            by="a test",
            at="2020-02-02T02:02:02Z",
            parent=None,
            generation=0,
            commit=source.commit,
            dirty=source.is_dirty,
            parts=parts,
        )


def part_of(project: Project, settings: Settings, order: Order) -> Tuple[Part, str]:
    return image_part(settings, open_store(settings), order, project.environ, say_nothing)


def test_the_part_names_the_image_in_the_layout(project: Project) -> None:
    settings = project.settings()
    order = planned(settings)
    part, line = part_of(project, settings, order)
    assert part.digest == order.parts["image"]
    assert part.uri == str(layout_of(settings).blob(part.content))
    assert line == f"runtime {part.content}"
    assert is_at_hand(settings, part)
    Path(part.uri).unlink()
    assert not is_at_hand(settings, part)


def test_the_part_names_the_image_in_the_registry(project: Project, registry: RegistryServer) -> None:
    settings = project.settings(images__registry=f"{registry.host}/team")
    part, line = part_of(project, settings, planned(settings))
    assert part.uri == f"{registry.host}/team/runtime@{part.content}"
    assert line.startswith(f"{part.uri}, ") and line.endswith(" MB sent")
    assert RegistryClient(registry.host, {}).find_manifest("team/runtime", part.content) == part.content
    assert is_at_hand(settings, part)


def test_an_image_in_another_registry_is_not_at_hand(project: Project, registry: RegistryServer) -> None:
    here, there = (project.settings(images__registry=f"{registry.host}/{team}") for team in ("one", "two"))
    kept, _ = part_of(project, project.settings(), planned(here))
    pushed, _ = part_of(project, here, planned(here))
    assert [is_at_hand(here, part) for part in (kept, pushed)] == [False, True]
    assert not is_at_hand(there, pushed) and not is_at_hand(there, kept)


def test_an_image_that_containers_need_must_be_here_too(project: Project, registry: RegistryServer) -> None:
    flags = {"images__registry": f"{registry.host}/team"}
    part, _ = part_of(project, project.settings(**flags), planned(project.settings(**flags)))
    layout = layout_of(project.settings())
    contained = project.settings(**flags, run__isolation="container")
    assert is_at_hand(contained, part)
    layout.blob(layout.read(part.content)["layers"][-1]["digest"]).unlink()
    assert is_at_hand(project.settings(**flags), part)
    assert not is_at_hand(contained, part)


def test_without_a_base_the_image_is_skipped_on_local(project: Project, registry: RegistryServer) -> None:
    path = project.root / "docker" / "bases.toml"
    path.write_text(path.read_text().replace(registry.host, f"127.0.0.1:{free_port()}"))
    settings = project.settings()
    order = planned(settings)
    part, line = part_of(project, settings, order)
    assert part == Part(digest=order.parts["image"])
    assert line.startswith("skipped: ") and "\n" not in line.rstrip()
    assert not is_at_hand(settings, part)


def test_a_file_that_was_changed_after_the_plan_is_told(project: Project) -> None:
    settings = project.settings()
    order = planned(settings)
    write(project.root / "pipeline" / "pipeline.py", "ANOTHER = 1\n")
    with pytest.raises(ImageError) as caught:
        part_of(project, settings, order)
    assert str(caught.value).startswith("pipeline/pipeline.py: is not what it was when the deploy began. Run the")


def test_a_listing_that_is_lost_is_told(project: Project) -> None:
    settings = project.settings()
    order = planned(settings)
    store = open_store(settings)
    lost = order.copy(update={"parts": {**order.parts, "image": f"sha256:{'1' * 64}"}})
    with pytest.raises(StateError) as caught:
        part_of(project, settings, lost)
    assert str(caught.value) == (
        f"{store.uri}: does not list the files that the image is made of. Run the deploy again."
    )


def test_in_the_cloud_nothing_of_it_need_be_here(project: Project) -> None:
    write(project.root / "esteira.toml", CLOUD)
    environ = {"ESTEIRA_STATE": str(project.root.parent / "state"), "ESTEIRA_ENV": "dev"}
    digest, content = (f"sha256:{number * 64}" for number in "12")
    name = f"europe-west1-docker.pkg.dev/demo-project/images/runtime@{content}"
    for isolation in ("process", "container"):
        settings = load_settings(project.root, environ, {"run.isolation": isolation})
        assert is_at_hand(settings, Part(digest=digest, content=content, uri=name))
        assert not is_at_hand(settings, Part(digest=digest, content=content, uri=f"other/runtime@{content}"))


def test_a_build_with_nothing_takes_from_the_builder(
    project: Project, registry: RegistryServer, tmp_path: Path
) -> None:
    write(project.root / "docker" / "builder.toml", BUILDER)
    settings = project.settings(images__registry=f"{registry.host}/team")
    with frozen_source(settings.root, settings.state) as source:
        builder_for(settings, open_store(settings), source, project.environ, say_nothing)
    part, made = made_with_nothing(project, settings, planned(settings), tmp_path)
    # The builder has all packages and no code.
    assert made == 2
    assert part.content == part_of(project, settings, planned(settings))[0].content


def test_a_build_with_nothing_takes_from_the_current_release(
    project: Project, registry: RegistryServer, tmp_path: Path
) -> None:
    settings = project.settings(images__registry=f"{registry.host}/team")
    parts = {"image": part_of(project, settings, planned(settings))[0]}
    release = make_release(settings, planned(settings), parts)
    keep_release(open_store(settings), release)
    write(project.root / "pipeline" / "pipeline.py", "ANOTHER = 1\n")
    order = planned(settings).copy(update={"parent": release.id})
    part, made = made_with_nothing(project, settings, order, tmp_path)
    assert made == 1
    assert part.content == part_of(project, settings, order.copy(update={"force": True}))[0].content


def test_what_is_to_be_made_anew_takes_from_nothing(project: Project, registry: RegistryServer, tmp_path: Path) -> None:
    settings = project.settings(images__registry=f"{registry.host}/team")
    parts = {"image": part_of(project, settings, planned(settings))[0]}
    release = make_release(settings, planned(settings), parts)
    keep_release(open_store(settings), release)
    order = planned(settings).copy(update={"parent": release.id, "force": True})
    with pytest.raises(ImageError, match="run: make wheels$"):
        made_with_nothing(project, settings, order, tmp_path)


def made_with_nothing(project: Project, settings: Settings, order: Order, folder: Path) -> Tuple[Part, int]:
    """Make the part where there are no layers, no wheels and no index; return it and how many layers were made."""
    there = settings.copy(update={"state": folder / "there"})
    environ = {**project.environ, "XDG_CACHE_HOME": str(folder / "no cache"), "PIP_NO_INDEX": "1"}
    part, _ = image_part(there, open_store(settings), order, environ, say_nothing)
    return part, len(list(layout_of(there).folder.glob("layers/*/layer.json")))
