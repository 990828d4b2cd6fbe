"""An image that refers to what the registry has is the one that is made of everything, and nothing else is fetched."""

import json
from pathlib import Path

import pytest
import requests

from esteira.errors import ImageError, RegistryError
from esteira.images.attach import referrers
from esteira.images.make import push_whole
from esteira.images.media import INVENTORY, PROVENANCE, SBOM
from esteira.images.registry.reference import Reference
from tests.bucket_server import free_port
from tests.images.former.machine import Machine, asked, empty_machine, stocked_machine
from tests.images.former.specification import BUILDER
from tests.images.project_made import Project, keep_wheels, make_project
from tests.images.registry_server import RegistryServer
from tests.images.wheels_made import make_wheel
from tests.repositories import write

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


@pytest.fixture
def project(tmp_path: Path, registry: RegistryServer) -> Project:
    return make_project(tmp_path / "here", registry.host, more={"docker/builder.toml": BUILDER})


@pytest.fixture
def stocked(project: Project, registry: RegistryServer) -> Machine:
    return stocked_machine(project, f"{registry.host}/team")


@pytest.fixture
def empty(project: Project, registry: RegistryServer, tmp_path: Path) -> Machine:
    return empty_machine(project, f"{registry.host}/team", tmp_path / "there")


@pytest.fixture
def former(stocked: Machine) -> Reference:
    made, _ = stocked.deploy()
    return stocked.reference(made)


def bill(machine: Machine) -> bytes:
    (entry,) = [entry for entry in referrers(machine.layout, "runtime") if entry.artifact_type == SBOM]
    return json.dumps(machine.layout.read(entry.digest), sort_keys=True).encode()


def test_nothing_is_fetched_or_made_where_nothing_changed(
    former: Reference, empty: Machine, registry: RegistryServer
) -> None:
    before = registry.log.read_text(errors="replace")
    made, pushed = empty.deploy([former])
    assert made.digest == former.digest
    assert (pushed.blobs_sent, pushed.blobs_mounted) == (0, 0)
    assert (empty.layers, empty.fetched, empty.said) == ([], [], [])
    blobs = [line for line in asked(registry, before) if line.startswith("GET") and "/blobs/" in line]
    assert len(blobs) == 2  # the configurations of base and former image, and no layer
    assert not any(empty.layout.has(layer.descriptor) for layer in made.image.layers)


def test_only_the_code_that_changed_is_made(former: Reference, stocked: Machine, empty: Machine) -> None:
    write(stocked.project.root / "pipeline" / "pipeline.py", "ANOTHER = 1\n")
    made, pushed = empty.deploy([former])
    assert (len(empty.layers), empty.fetched, empty.said) == (1, [], [])
    # The layer, the configuration, and where it came from.
    assert (pushed.blobs_sent, pushed.blobs_mounted) == (3, 0)
    assert stocked.make().digest == made.digest
    assert bill(empty) == bill(stocked)
    kinds = [entry.artifact_type for entry in referrers(empty.layout, "runtime")]
    assert kinds == [SBOM, PROVENANCE, INVENTORY]


def bump(stocked: Machine, empty: Machine, module: str = "one/__init__.py") -> None:
    """Put another version of a package into the lock, and its wheel alone at the empty machine's hand."""
    wheels = stocked.project.wheels
    bumped = make_wheel(stocked.folder / "wheels", "one", {module: "ONE = 2\n"}, version="1.1")
    keep_wheels(empty.folder / "cache" / "esteira" / "wheels", [bumped])
    again = keep_wheels(stocked.folder / "again", [bumped, *wheels[1:]])
    for path, text in again.items():
        write(stocked.project.root / path, text)


def test_only_the_layer_of_a_package_that_changed_is_made_of_its_wheel(
    former: Reference, stocked: Machine, empty: Machine
) -> None:
    bump(stocked, empty)
    made, _ = empty.deploy([former])
    assert (len(empty.layers), empty.fetched) == (1, ["one-1.1-py3-none-any.whl"])
    assert empty.said == ["making 1 layer of packages, 2 are there"]
    stock = empty_machine(stocked.project, stocked.registry, stocked.folder / "scratch")
    stock.folder.mkdir()
    (stock.folder / "cache" / "esteira").mkdir(parents=True)
    (stocked.folder / "again").rename(stock.folder / "cache" / "esteira" / "wheels")
    assert stock.make().digest == made.digest
    assert bill(empty) == bill(stock)
    assert sorted(entry.digest for entry in referrers(empty.layout, "runtime")) == sorted(
        entry.digest for entry in referrers(stock.layout, "runtime")
    )


def test_a_package_that_does_not_fit_to_one_that_is_not_here_is_told(
    former: Reference, stocked: Machine, empty: Machine
) -> None:
    bump(stocked, empty, "rich/__init__.py")
    with pytest.raises(ImageError, match=r"^/opt/venv/lib/python3.8/site-packages/rich/__init__.py: .* differently\."):
        empty.make([former])


def test_what_nothing_tells_the_files_of_is_made_again(
    former: Reference, stocked: Machine, empty: Machine, registry: RegistryServer
) -> None:
    for entry in referrers(stocked.layout, "runtime"):
        requests.delete(f"{registry.url}/v2/team/runtime/manifests/{entry.digest}").raise_for_status()
    bump(stocked, empty)
    keep_wheels(empty.folder / "cache" / "esteira" / "wheels", stocked.project.wheels[1:])
    empty.make([former])
    assert empty.said == ["making 3 layers of packages, 0 are there"]


def test_an_image_that_is_gone_or_without_keys_has_nothing_to_take(
    former: Reference, stocked: Machine, empty: Machine, registry: RegistryServer
) -> None:
    base = stocked.project.base
    for reference in (former.pinned(f"sha256:{'1' * 64}"), Reference(base.host, base.repository, digest=base.digest)):
        with pytest.raises(ImageError, match="run: make wheels$"):
            empty.make([reference])
    assert empty.said[0] == "making 3 layers of packages, 0 are there"


def test_another_manifest_than_the_digest_names_is_refused(
    former: Reference, empty: Machine, registry: RegistryServer
) -> None:
    digest = former.digest.partition(":")[2]
    (blob,) = registry.folder.glob(f"storage/docker/registry/v2/blobs/sha256/*/{digest}/data")
    blob.write_bytes(blob.read_bytes().replace(b"dev.esteira.key", b"dev.esteira.kez"))
    with pytest.raises(RegistryError):
        empty.make([former])


def test_a_registry_that_cannot_be_reached_is_no_base_that_cannot(empty: Machine, former: Reference) -> None:
    there = Reference(f"127.0.0.1:{free_port()}", "team/runtime", digest=former.digest)
    with pytest.raises(RegistryError) as caught:
        empty.make([there])
    assert type(caught.value) is RegistryError
    assert str(caught.value) == f"The registry {there.host} cannot be reached: it refuses connections."


def test_the_builder_takes_its_packages_from_the_runtime_image(
    former: Reference, stocked: Machine, empty: Machine
) -> None:
    made, pushed = empty.deploy([former], "builder")
    assert (empty.layers, empty.fetched) == ([], [])
    # Four layers, the base's, the bill and the inventory come over; a configuration and where it came from are new.
    assert (pushed.blobs_mounted, pushed.blobs_sent) == (7, 3)
    assert stocked.make(name="builder").digest == made.digest


def test_a_layer_that_the_registry_has_lost_is_made_again(
    former: Reference, stocked: Machine, empty: Machine, registry: RegistryServer
) -> None:
    write(stocked.project.root / "pipeline" / "pipeline.py", "ANOTHER = 1\n")
    made = empty.make([former])
    keep_wheels(empty.folder / "cache" / "esteira" / "wheels", stocked.project.wheels)
    lost = made.image.layers[1].digest.partition(":")[2]
    (link,) = registry.folder.glob(f"storage/docker/registry/v2/repositories/team/runtime/_layers/sha256/{lost}/link")
    link.unlink()
    again, pushed = push_whole(empty.settings, made, empty.make, empty.environ, empty.said.append)
    assert again.digest == made.digest
    assert pushed.blobs_sent > 0
    assert empty.said == [
        f"{empty.registry}: lacks some of {former}: making all of runtime",
        "making 3 layers of packages, 0 are there",
    ]
