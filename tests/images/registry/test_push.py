"""Pushing an image: what is missing is sent, once, and nobody but its digest is trusted."""

import json
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from esteira.errors import ImageError, RegistryError
from esteira.images.descriptor import Descriptor, read_descriptor
from esteira.images.layout import Layout
from esteira.images.media import EMPTY, MANIFEST
from esteira.images.registry import Pushed, Reference, pull_base, push_image
from esteira.images.registry.referrers import fallback_tag
from tests.images.base_image import BaseImage, manifest_document, name_image, push_base, small_base
from tests.images.registry.asking import make_blob, make_client
from tests.images.registry_front import Front, run_front, run_proxy
from tests.images.registry_server import RegistryServer
from tests.programs import require_program

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

SBOM = "application/spdx+json"


def add_sbom(base: BaseImage, text: str = "{}", subject: Optional[Descriptor] = None) -> Descriptor:
    """Put an SBOM of the image's index, or of `subject`, into its layout and return the manifest that refers to it."""
    layout = base.layout
    config, layer = layout.add(EMPTY, b"{}"), layout.add(SBOM, text.encode())
    document = manifest_document(config, layer, subject or base.index)
    document.update(artifactType=SBOM, annotations={"of": "a test"})
    return layout.add_document(MANIFEST, document)


def sizes(base: BaseImage) -> List[int]:
    """Return the sizes of the image's config and layer."""
    manifest = base.layout.read(base.layout.read(base.index.digest)["manifests"][0]["digest"])
    return [manifest["config"]["size"], manifest["layers"][0]["size"]]


def skopeo_inspect(reference: str, *options: str) -> bytes:
    require_program("skopeo", "skopeo")
    command = ["skopeo", "inspect", "--tls-verify=false", *options, f"docker://{reference}"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def test_an_image_is_pushed_whole_and_skopeo_reads_it(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    client, _ = make_client(registry.host)
    pushed = push_image(base.layout, base.index, Reference(registry.host, "a/b", "v1"), client)
    assert pushed == Pushed(base.index.digest, blobs_sent=2, bytes_sent=sum(sizes(base)))
    raw = skopeo_inspect(f"{registry.host}/a/b:v1", "--raw")
    assert raw == base.layout.blob(base.index.digest).read_bytes()
    told = json.loads(skopeo_inspect(f"{registry.host}/a/b@{base.index.digest}"))
    assert (told["Digest"], told["Os"], told["Architecture"]) == (base.index.digest, "linux", "amd64")


def test_a_second_push_asks_once_and_sends_nothing(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    with run_front(registry.host) as front:
        client, _ = make_client(front.host)
        for tag in ("v1", ""):
            push_image(base.layout, base.index, Reference(front.host, "a/b", tag), client)
            front.seen.clear()
            again = push_image(base.layout, base.index, Reference(front.host, "a/b", tag), client)
            assert again == Pushed(base.index.digest)
            assert front.seen == [f"HEAD /v2/a/b/manifests/{tag or base.index.digest}"]


def test_another_tag_of_an_image_that_is_there_sends_its_index_only(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    with run_front(registry.host) as front:
        client, _ = make_client(front.host)
        push_image(base.layout, base.index, Reference(front.host, "a/b", "v1"), client)
        front.seen.clear()
        push_image(base.layout, base.index, Reference(front.host, "a/b", "v2"), client)
        assert front.seen == [
            "HEAD /v2/a/b/manifests/v2",
            f"HEAD /v2/a/b/manifests/{base.index.digest}",
            "PUT /v2/a/b/manifests/v2",
        ]


def test_a_tag_moves_on_to_the_image_that_was_pushed(registry: RegistryServer, tmp_path: Path) -> None:
    client, _ = make_client(registry.host)
    for text in ("one", "two"):
        base = small_base(tmp_path / text, text)
        push_image(base.layout, base.index, Reference(registry.host, "a/b", "v1"), client)
        assert client.resolve("a/b", "v1") == base.index.digest


def test_what_the_base_s_repository_has_is_mounted(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    source = push_base(base, registry.host)
    with run_front(registry.host) as front:
        client, _ = make_client(front.host)
        sources = [Reference("elsewhere.example", "a"), Reference(front.host, source.repository)]
        pushed = push_image(base.layout, base.index, Reference(front.host, "a/b"), client, mount_from=sources)
        assert pushed == Pushed(base.index.digest, blobs_mounted=2)
        assert not any(seen.startswith("PATCH") for seen in front.seen)


def test_only_blobs_that_are_missing_are_sent(registry: RegistryServer, tmp_path: Path) -> None:
    client, _ = make_client(registry.host)
    base = small_base(tmp_path / "base")
    manifest = base.layout.read(base.layout.read(base.index.digest)["manifests"][0]["digest"])
    config = Descriptor(manifest["config"]["mediaType"], manifest["config"]["digest"], manifest["config"]["size"])
    client.upload_blob("a/b", base.layout.blob(config.digest), config)
    pushed = push_image(base.layout, base.index, Reference(registry.host, "a/b"), client)
    assert pushed == Pushed(base.index.digest, blobs_sent=1, bytes_sent=sizes(base)[1], blobs_present=1)


def test_an_sbom_is_found_under_the_image_s_tag_for_referrers(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    target = Reference(registry.host, "a/b", "v1")
    client, _ = make_client(registry.host)
    first, second = add_sbom(base), add_sbom(base, '{"more": 1}')
    push_image(base.layout, base.index, target, client, referrers=[first])
    push_image(base.layout, base.index, target, client, referrers=[second])
    raw = skopeo_inspect(f"{registry.host}/a/b:{fallback_tag(base.index.digest)}", "--raw")
    assert json.loads(raw)["manifests"] == [
        {
            "mediaType": MANIFEST,
            "digest": sbom.digest,
            "size": sbom.size_bytes,
            "artifactType": SBOM,
            "annotations": {"of": "a test"},
        }
        for sbom in (first, second)
    ]
    assert (
        skopeo_inspect(f"{registry.host}/a/b@{second.digest}", "--raw") == base.layout.blob(second.digest).read_bytes()
    )


def test_an_sbom_is_listed_for_what_it_tells_of(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    image = read_descriptor(base.layout.read(base.index.digest)["manifests"][0])
    sboms = {base.index.digest: add_sbom(base), image.digest: add_sbom(base, subject=image)}
    client, _ = make_client(registry.host)
    for _ in range(2):
        target = Reference(registry.host, "a/b")
        push_image(base.layout, base.index, target, client, referrers=list(sboms.values()))
    for subject, sbom in sboms.items():
        raw = skopeo_inspect(f"{registry.host}/a/b:{fallback_tag(subject)}", "--raw")
        assert [entry["digest"] for entry in json.loads(raw)["manifests"]] == [sbom.digest]


def test_a_second_push_with_an_sbom_sends_nothing(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    sbom = add_sbom(base)
    with run_front(registry.host) as front:
        client, _ = make_client(front.host)
        target = Reference(front.host, "a/b", "v1")
        push_image(base.layout, base.index, target, client, referrers=[sbom])
        front.seen.clear()
        assert push_image(base.layout, base.index, target, client, referrers=[sbom]) == Pushed(base.index.digest)
        tag = fallback_tag(base.index.digest)
        assert front.seen == [
            "HEAD /v2/a/b/manifests/v1",
            f"GET /v2/a/b/referrers/{base.index.digest}",
            f"HEAD /v2/a/b/manifests/{tag}",
            f"GET /v2/a/b/manifests/{tag}",
        ]


def test_a_registry_that_lists_referrers_itself_gets_no_tag_for_them(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    sbom = add_sbom(base)
    listed: List[Dict[str, Any]] = []

    class ListsReferrers(Front):
        def answers(self) -> bool:
            if "/referrers/" not in self.path:
                return False
            self.answer(200, {}, json.dumps({"schemaVersion": 2, "manifests": listed}).encode())
            return True

    with run_front(registry.host, ListsReferrers) as front:
        client, _ = make_client(front.host)
        target = Reference(front.host, "a/b")
        push_image(base.layout, base.index, target, client, referrers=[sbom])
        assert f"PUT /v2/a/b/manifests/{sbom.digest}" in front.seen
        assert not any("sha256-" in seen for seen in front.seen)
        listed.append(sbom.document())
        front.seen.clear()
        push_image(base.layout, base.index, target, client, referrers=[sbom])
        assert front.seen == [
            f"HEAD /v2/a/b/manifests/{base.index.digest}",
            f"GET /v2/a/b/referrers/{base.index.digest}",
        ]


def test_a_push_that_was_cut_in_a_blob_goes_on(registry: RegistryServer, tmp_path: Path) -> None:
    make_blob(tmp_path / "content", 6 << 20)
    base = name_image(Layout(tmp_path / "base"), (tmp_path / "content").open("rb"))
    with run_proxy(registry.host) as proxy:
        client, pauses = make_client(proxy.host)
        proxy.cut_after_bytes = {"up": 4 << 20}
        pushed = push_image(base.layout, base.index, Reference(proxy.host, "a/b", "v1"), client)
    assert (pushed.digest, pushed.blobs_sent, len(pauses)) == (base.index.digest, 2, 1)
    assert pushed.bytes_sent > sum(sizes(base))
    there = Reference(registry.host, "a/b", digest=base.index.digest)
    pull_base(there, "linux/amd64", Layout(tmp_path / "layout"), lambda host: make_client(host)[0])


def test_a_blob_that_was_damaged_here_is_taken_by_no_registry(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    manifest = base.layout.read(base.layout.read(base.index.digest)["manifests"][0]["digest"])
    layer = manifest["layers"][0]["digest"]
    base.layout.blob(layer).write_bytes(b"x" * manifest["layers"][0]["size"])
    with pytest.raises(RegistryError) as error:
        push_image(base.layout, base.index, Reference(registry.host, "a/b"), make_client(registry.host)[0])
    assert str(error.value) == (
        f"{registry.host}/a/b@{layer}: the registry does not take what was sent for it (400 Bad Request: "
        "provided digest did not match uploaded content).\n"
        f"Expected bytes of that digest in {base.layout.blob(layer)}. Remove the file and run: make images"
    )


def test_a_blob_that_is_lost_here_says_how_to_make_it(registry: RegistryServer, tmp_path: Path) -> None:
    base = small_base(tmp_path / "base")
    manifest = base.layout.read(base.layout.read(base.index.digest)["manifests"][0]["digest"])
    path = base.layout.blob(manifest["layers"][0]["digest"])
    path.unlink()
    with pytest.raises(ImageError) as error:
        push_image(base.layout, base.index, Reference(registry.host, "a/b"), make_client(registry.host)[0])
    assert str(error.value) == f"{path}: is lost or damaged. Run: make images"
