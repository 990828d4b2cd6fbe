"""Blobs and manifests at a real registry: sent, fetched, cut in the middle, and served wrongly."""

import socket
from pathlib import Path
from typing import Iterator

import pytest

from esteira.errors import RegistryError
from esteira.images.descriptor import describe_bytes
from esteira.images.registry import UnreachableError
from tests.images.registry.asking import make_blob, make_client
from tests.images.registry_front import CuttingProxy, Front, ResumableUploads, run_front, run_proxy
from tests.images.registry_server import RegistryServer

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

MIB = 1 << 20
# What requests and answers without a blob's bytes may take at most.
OVERHEAD_BYTES = 20_000


@pytest.fixture
def proxy(registry: RegistryServer) -> Iterator[CuttingProxy]:
    with run_proxy(registry.host) as proxy:
        yield proxy


def test_a_blob_is_sent_and_fetched_again(registry: RegistryServer, tmp_path: Path) -> None:
    client, pauses = make_client(registry.host)
    blob = make_blob(tmp_path / "blob", 3 * MIB)
    assert not client.has_blob("a/b", blob.digest)
    assert client.upload_blob("a/b", tmp_path / "blob", blob) == (3 * MIB, False)
    assert client.has_blob("a/b", blob.digest)
    client.fetch_blob("a/b", blob, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == (tmp_path / "blob").read_bytes()
    assert pauses == []


def test_an_empty_blob_is_sent(registry: RegistryServer, tmp_path: Path) -> None:
    client, _ = make_client(registry.host)
    blob = make_blob(tmp_path / "blob", 0)
    assert client.upload_blob("a/b", tmp_path / "blob", blob) == (0, False)
    client.fetch_blob("a/b", blob, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b""


def test_a_download_that_was_cut_goes_on_where_it_was(proxy: CuttingProxy, tmp_path: Path) -> None:
    client, pauses = make_client(proxy.host)
    blob = make_blob(tmp_path / "blob", 8 * MIB)
    client.upload_blob("a/b", tmp_path / "blob", blob)
    proxy.bytes["down"] = 0
    proxy.cut_after_bytes = {"down": 5 * MIB}
    client.fetch_blob("a/b", blob, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == (tmp_path / "blob").read_bytes()
    assert len(pauses) == 1
    assert 8 * MIB < proxy.bytes["down"] < 8 * MIB + OVERHEAD_BYTES


def test_an_upload_that_was_cut_begins_again_where_the_registry_forgot_it(
    proxy: CuttingProxy, registry: RegistryServer, tmp_path: Path
) -> None:
    client, pauses = make_client(proxy.host)
    blob = make_blob(tmp_path / "blob", 8 * MIB)
    client.has_blob("a/b", blob.digest)
    proxy.cut_after_bytes = {"up": 5 * MIB}
    sent = client.upload_blob("a/b", tmp_path / "blob", blob)
    assert len(pauses) == 1
    assert sent.bytes_sent >= 12 * MIB
    assert 13 * MIB < proxy.bytes["up"] < 13 * MIB + OVERHEAD_BYTES
    assert make_client(registry.host)[0].has_blob("a/b", blob.digest)


def test_an_upload_that_was_cut_goes_on_where_the_registry_keeps_it(registry: RegistryServer, tmp_path: Path) -> None:
    blob = make_blob(tmp_path / "blob", 8 * MIB)
    with run_front(registry.host, ResumableUploads) as front:
        client, pauses = make_client(front.host)
        client.has_blob("a/b", blob.digest)
        front.cut_upload_after_bytes = 5 * MIB
        client.upload_blob("a/b", tmp_path / "blob", blob)
        assert front.patched == [f"None {8 * MIB}", f"{5 * MIB}-{8 * MIB - 1} {3 * MIB}"]
        assert len(pauses) == 1
    make_client(registry.host)[0].fetch_blob("a/b", blob, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == (tmp_path / "blob").read_bytes()


def test_an_upload_that_is_cut_each_time_is_given_up(registry: RegistryServer, tmp_path: Path) -> None:
    class CutsUploads(Front):
        def answers(self) -> bool:
            if self.command == "PATCH":
                self.rfile.read(MIB)
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return True
            return False

    blob = make_blob(tmp_path / "blob", 4 * MIB)
    with run_front(registry.host, CutsUploads) as front:
        client, pauses = make_client(front.host)
        with pytest.raises(RegistryError) as error:
            client.upload_blob("a/b", tmp_path / "blob", blob)
    assert len(pauses) == 4
    assert str(error.value) == (
        f"{front.host}/a/b@{blob.digest}: cannot be sent: {front.host}: the connection breaks.\n"
        "Run the command again: it goes on from what is there."
    )


class ServesOtherBytes(Front):
    """Serves one byte of each blob and manifest changed."""

    def answers(self) -> bool:
        if self.command != "GET" or "/uploads/" in self.path:
            return False
        self.answer(200, {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}, b"x" * 100)
        return True


def test_a_blob_with_other_bytes_than_its_digest_is_refused_and_not_kept(
    registry: RegistryServer, tmp_path: Path
) -> None:
    blob = describe_bytes("application/octet-stream", b"y" * 100)
    with run_front(registry.host, ServesOtherBytes) as front:
        with pytest.raises(RegistryError) as error:
            make_client(front.host)[0].fetch_blob("a/b", blob, tmp_path / "fetched")
        assert str(error.value) == (
            f"{front.host}/a/b@{blob.digest}: the registry serves bytes with the digest "
            f"{describe_bytes('', b'x' * 100).digest}. Expected the bytes of the digest; nothing of them was kept.\n"
            "Run the command again: it goes on from what is there. "
            "If it stays so, do not trust this registry or what lies between."
        )
    assert list(tmp_path.glob("fetched")) == []


def test_a_blob_that_is_longer_than_its_size_is_refused_before_its_end(
    registry: RegistryServer, tmp_path: Path
) -> None:
    blob = describe_bytes("application/octet-stream", b"y" * 99)
    with run_front(registry.host, ServesOtherBytes) as front, pytest.raises(RegistryError) as error:
        make_client(front.host)[0].fetch_blob("a/b", blob, tmp_path / "fetched")
    assert "the registry serves more than its 99 bytes. Expected" in str(error.value)


def test_a_manifest_with_other_bytes_than_its_digest_is_refused(registry: RegistryServer) -> None:
    digest = describe_bytes("", b"y").digest
    with run_front(registry.host, ServesOtherBytes) as front, pytest.raises(RegistryError) as error:
        make_client(front.host)[0].get_manifest("a/b", digest)
    assert str(error.value).startswith(f"{front.host}/a/b@{digest}: the registry serves bytes with the digest sha256:")


def test_a_manifest_that_is_gone_says_so(registry: RegistryServer) -> None:
    digest = describe_bytes("", b"y").digest
    with pytest.raises(RegistryError) as error:
        make_client(registry.host)[0].get_manifest("a/b", digest)
    assert str(error.value) == (
        f"{registry.host}/a/b@{digest}: is no longer there (404 Not Found: manifest unknown).\n"
        "Expected an image that the registry has. Check its name; for a base, run: make pins"
    )


def test_a_tag_that_is_not_there_says_so(registry: RegistryServer) -> None:
    with pytest.raises(RegistryError) as error:
        make_client(registry.host)[0].resolve("a/b", "3.8-slim")
    assert str(error.value) == (
        f"{registry.host}/a/b:3.8-slim: the registry has no such tag. Expected one that exists."
    )


def test_a_registry_that_is_busy_is_asked_again_when_it_says(registry: RegistryServer) -> None:
    class Busy(Front):
        def answers(self) -> bool:
            if len(self.server.seen) < 3:
                self.answer(429, {"Retry-After": "7"})
                return True
            return False

    with run_front(registry.host, Busy) as front:
        client, pauses = make_client(front.host)
        assert not client.has_blob("a/b", describe_bytes("", b"").digest)
    assert pauses == [7.0, 7.0]


def test_a_registry_that_stays_busy_is_left_alone(registry: RegistryServer) -> None:
    class Busy(Front):
        def answers(self) -> bool:
            self.answer(429, {"Retry-After": "3600"}, b'{"errors": [{"message": "pull rate limit"}]}')
            return True

    digest = describe_bytes("", b"").digest
    with run_front(registry.host, Busy) as front:
        client, pauses = make_client(front.host)
        with pytest.raises(RegistryError) as error:
            client.get_manifest("a/b", digest)
    assert pauses == [60.0] * 4
    assert str(error.value) == (
        f"{front.host}/a/b@{digest}: the registry is asked too often (429 Too Many Requests: pull rate limit).\n"
        f"Wait a minute and run the command again, or ask it with an account. Log in: docker login {front.host}"
    )


def test_a_registry_that_is_not_there_says_so_in_one_line_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    client, pauses = make_client(host)
    with pytest.raises(UnreachableError) as error:
        client.resolve("library/python", "3.8-slim")
    assert str(error.value) == f"The registry {host} cannot be reached: it refuses connections."
    assert error.value.exit_code == 20
    assert pauses == []


def test_a_blob_is_mounted_from_another_repository(proxy: CuttingProxy, tmp_path: Path) -> None:
    client, _ = make_client(proxy.host)
    blob = make_blob(tmp_path / "blob", MIB)
    client.upload_blob("library/python", tmp_path / "blob", blob)
    proxy.bytes["up"] = 0
    assert client.upload_blob("a/b", tmp_path / "blob", blob, ["nobody/here", "library/python"]) == (0, True)
    assert client.mount_blob("c/d", blob, "library/python")
    assert not client.mount_blob("c/d", describe_bytes("", b"never sent"), "library/python")
    assert proxy.bytes["up"] < OVERHEAD_BYTES
    assert client.has_blob("a/b", blob.digest) and client.has_blob("c/d", blob.digest)


def test_a_registry_that_takes_a_manifest_for_another_one_is_not_trusted(registry: RegistryServer) -> None:
    wrong = describe_bytes("", b"other").digest

    class Miscounts(Front):
        def answers(self) -> bool:
            self.body()
            self.answer(201, {"Docker-Content-Digest": wrong})
            return True

    content = b"{}"
    built = describe_bytes("", content).digest
    with run_front(registry.host, Miscounts) as front, pytest.raises(RegistryError) as error:
        make_client(front.host)[0].put_manifest("a/b", "v1", content, "application/vnd.oci.image.manifest.v1+json")
    assert str(error.value) == (
        f"{front.host}/a/b:v1: the registry took it as {wrong}. "
        f"Expected the digest that was built, {built}. Do not use what is there."
    )
