"""A base from a registry into a layout: by digest, for one platform, and whole or not at all."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List

import pytest

from esteira.errors import ImageError, RegistryError
from esteira.images.layout import Layout
from esteira.images.media import DOCKER_LAYER, DOCKER_LIST, DOCKER_MANIFEST
from esteira.images.registry import Reference, RegistryClient, UnreachableError, open_clients, pull_base
from esteira.release.digest import digest_file
from tests.images.base_image import config_document, name_image, push_base, small_base
from tests.images.registry.asking import ENVIRON, make_blob, make_client
from tests.images.registry_front import Front, run_front, run_proxy
from tests.images.registry_server import RegistryServer

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
AMD64 = "linux/amd64"


def clients(_host: str) -> RegistryClient:
    return make_client(_host)[0]


def no_client(host: str) -> RegistryClient:
    raise AssertionError(f"{host} was asked")


def blobs(layout: Layout) -> List[str]:
    return sorted(f"sha256:{path.name}" for path in (layout.folder / "blobs" / "sha256").glob("*"))


def test_a_base_is_pulled_by_its_digest_and_never_asked_for_again(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    reference = push_base(base, registry.host)
    assert reference.digest == base.index.digest
    layout = Layout(tmp_path / "layout")
    pulled = pull_base(reference, AMD64, layout, clients)
    index = base.layout.read(base.index.digest)
    manifest = base.layout.read(index["manifests"][0]["digest"])
    assert pulled.descriptor.document() == index["manifests"][0]
    assert pulled.config == config_document(pulled.diff_ids[0])
    assert [layer.document() for layer in pulled.layers] == manifest["layers"]
    assert blobs(layout) == blobs(base.layout)
    assert list((layout.folder / "scratch").iterdir()) == []
    assert pull_base(reference, AMD64, layout, no_client) == pulled


def test_two_pulls_at_once_share_a_layout(registry: RegistryServer, tmp_path: Path) -> None:
    make_blob(tmp_path / "content", 2 << 20)
    base = name_image(Layout(tmp_path / "base"), (tmp_path / "content").open("rb"))
    reference = push_base(base, registry.host)
    layout = Layout(tmp_path / "layout")
    with ThreadPoolExecutor(2) as pool:
        pulled = list(pool.map(lambda _: pull_base(reference, AMD64, layout, clients), range(2)))
    assert pulled[0] == pulled[1]
    assert {digest: digest_file(layout.blob(digest)) for digest in blobs(base.layout)} == {
        digest: digest for digest in blobs(layout)
    }


def test_a_layer_that_was_lost_is_fetched_alone(registry: RegistryServer, tmp_path: Path) -> None:
    reference = push_base(small_base(tmp_path / "base"), registry.host)
    layout = Layout(tmp_path / "layout")
    pulled = pull_base(reference, AMD64, layout, clients)
    layer = pulled.layers[0].digest
    layout.blob(layer).unlink()
    with run_front(registry.host) as front:
        there = Reference(front.host, reference.repository, digest=reference.digest)
        assert pull_base(there, AMD64, layout, clients) == pulled
        assert front.seen == [f"GET /v2/library/python/blobs/{layer}"]


def test_a_manifest_that_was_damaged_is_fetched_again(registry: RegistryServer, tmp_path: Path) -> None:
    reference = push_base(small_base(tmp_path / "base"), registry.host)
    layout = Layout(tmp_path / "layout")
    pulled = pull_base(reference, AMD64, layout, clients)
    path = layout.blob(pulled.descriptor.digest)
    path.write_bytes(b"{" + path.read_bytes()[1:-1])
    assert pull_base(reference, AMD64, layout, clients) == pulled


def test_a_base_without_a_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as error:
        pull_base(Reference("docker.io", "library/python", "3.8-slim"), AMD64, Layout(tmp_path), no_client)
    assert str(error.value) == (
        'base image "docker.io/library/python:3.8-slim" has no digest. Expected name@sha256:<64 hex>. Run: make pins'
    )


def test_a_base_for_other_platforms_names_them(registry: RegistryServer, tmp_path: Path) -> None:
    reference = push_base(small_base(tmp_path / "base"), registry.host)
    with pytest.raises(ImageError) as error:
        pull_base(reference, "linux/arm64", Layout(tmp_path / "layout"), clients)
    assert str(error.value) == (
        f"{reference}: is not made for linux/arm64, only for linux/amd64. "
        "Expected a base with an image for linux/arm64. Choose another one in docker/bases.toml."
    )


def test_a_manifest_without_an_index_is_a_base_too(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    reference = push_base(base, registry.host)
    digest = base.layout.read(base.index.digest)["manifests"][0]["digest"]
    pulled = pull_base(reference.pinned(digest), AMD64, Layout(tmp_path / "layout"), clients)
    assert pulled.descriptor.digest == digest
    with pytest.raises(ImageError) as error:
        pull_base(reference.pinned(digest), "linux/arm64", Layout(tmp_path / "layout"), no_client)
    assert "is not made for linux/arm64, only for linux/amd64." in str(error.value)


def test_a_base_in_docker_s_own_media_types_is_pulled(registry: RegistryServer, tmp_path: Path) -> None:
    reference = push_base(docker_base(tmp_path / "base"), registry.host)
    pulled = pull_base(reference, AMD64, Layout(tmp_path / "layout"), clients)
    assert pulled.descriptor.media_type == DOCKER_MANIFEST
    assert pulled.descriptor.platform == {"os": "linux", "architecture": "amd64"}
    assert [layer.media_type for layer in pulled.layers] == [DOCKER_LAYER]


def docker_base(folder: Path) -> Any:
    """Return the small base as docker push would write it, with an image for ARM beside it."""
    base = small_base(folder)
    layout = base.layout
    manifest = layout.read(layout.read(base.index.digest)["manifests"][0]["digest"])
    config = layout.read(manifest["config"]["digest"])
    entries = []
    for architecture in ("arm64", "amd64"):
        made = layout.add_document(DOCKER_CONFIG, {**config, "architecture": architecture})
        layers = [{**manifest["layers"][0], "mediaType": DOCKER_LAYER}]
        content = {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": made.document(), "layers": layers}
        entry = layout.add_document(DOCKER_MANIFEST, content).document()
        entries.append({**entry, "platform": {"os": "linux", "architecture": architecture}})
    index = {"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": entries}
    return base._replace(index=layout.add_document(DOCKER_LIST, index))


def test_a_layer_that_is_cut_in_the_middle_goes_on(registry: RegistryServer, tmp_path: Path) -> None:
    make_blob(tmp_path / "content", 6 << 20)
    base = name_image(Layout(tmp_path / "base"), (tmp_path / "content").open("rb"))
    reference = push_base(base, registry.host)
    layout = Layout(tmp_path / "layout")
    with run_proxy(registry.host) as proxy:
        proxy.cut_after_bytes = {"down": 4 << 20}
        pulled = pull_base(Reference(proxy.host, "library/python", digest=reference.digest), AMD64, layout, clients)
    assert layout.blob(pulled.layers[0].digest).read_bytes() == base.layout.blob(pulled.layers[0].digest).read_bytes()
    assert proxy.bytes["down"] < pulled.layers[0].size_bytes + 20_000


def test_a_wrong_layer_is_refused_and_not_kept(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    reference = push_base(base, registry.host)
    manifest = base.layout.read(base.layout.read(base.index.digest)["manifests"][0]["digest"])
    digest, size = manifest["layers"][0]["digest"], manifest["layers"][0]["size"]

    class ServesWrongLayer(Front):
        def answers(self) -> bool:
            if digest not in self.path:
                return False
            self.answer(200, {}, b"x" * size)
            return True

    layout = Layout(tmp_path / "layout")
    with run_front(registry.host, ServesWrongLayer) as front:
        there = Reference(front.host, reference.repository, digest=reference.digest)
        with pytest.raises(RegistryError) as error:
            pull_base(there, AMD64, layout, clients)
        assert str(error.value).startswith(
            f"{front.host}/library/python@{digest}: the registry serves bytes with the digest sha256:"
        )
    assert digest not in blobs(layout)
    assert list((layout.folder / "scratch").iterdir()) == []


def test_a_base_that_has_changed_under_its_digest_is_refused(registry: RegistryServer, tmp_path: Path) -> None:
    reference = push_base(small_base(tmp_path / "base"), registry.host)
    other = small_base(tmp_path / "other", "changed")
    content = other.layout.blob(other.index.digest).read_bytes()

    class ServesOtherIndex(Front):
        def answers(self) -> bool:
            self.answer(200, {"Content-Type": other.index.media_type}, content)
            return True

    layout = Layout(tmp_path / "layout")
    with run_front(registry.host, ServesOtherIndex) as front, pytest.raises(RegistryError) as error:
        pull_base(Reference(front.host, "library/python", digest=reference.digest), AMD64, layout, clients)
    assert f"serves bytes with the digest {other.index.digest}. Expected" in str(error.value)
    assert blobs(layout) == []


def test_a_base_that_is_gone_says_how_to_pin_another(registry: RegistryServer, tmp_path: Path) -> None:
    digest = small_base(tmp_path / "base").index.digest
    reference = Reference(registry.host, "library/python", digest=digest)
    with pytest.raises(RegistryError) as error:
        pull_base(reference, AMD64, Layout(tmp_path / "layout"), clients)
    assert str(error.value).startswith(f"{reference}: is no longer there (404 Not Found: manifest unknown).\n")
    assert str(error.value).endswith("for a base, run: make pins")


def test_a_base_whose_registry_is_not_there_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    digest = small_base(tmp_path / "base").index.digest
    with pytest.raises(UnreachableError) as error:
        reference = Reference(host, "library/python", digest=digest)
        pull_base(reference, AMD64, Layout(tmp_path / "layout"), open_clients(ENVIRON))
    assert str(error.value) == f"The registry {host} cannot be reached: it refuses connections."


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"schemaVersion": 1}, "is of the kind schema version 1. Expected an image."),
        ({"schemaVersion": 2, "mediaType": "text/plain"}, "is of the kind text/plain. Expected an image."),
        ({"schemaVersion": 2, "layers": []}, "is no image: lacks 'config'. Expected one with a config and layers."),
    ],
)
def test_what_is_no_image_says_so(tmp_path: Path, document: Dict[str, Any], message: str) -> None:
    layout = Layout(tmp_path)
    entry = layout.add("", json.dumps(document).encode())
    reference = Reference("docker.io", "library/python", digest=entry.digest)
    with pytest.raises(ImageError) as error:
        pull_base(reference, AMD64, layout, no_client)
    assert str(error.value) == f"{reference}: {message}"
