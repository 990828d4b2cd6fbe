"""Where a registry is asked: by its own name, or in a rehearsal at an address of this machine."""

from pathlib import Path

import pytest

from esteira.errors import SettingsError
from esteira.images.registry import RegistryClient
from esteira.images.registry.hosts import stand_ins
from tests.images.registry.asking import make_blob
from tests.images.registry_server import PASSWORD, USER, RegistryServer

HOST = "europe-west1-docker.pkg.dev"


def test_hosts_have_their_addresses() -> None:
    assert stand_ins({}) == {}
    assert stand_ins({"ESTEIRA_REGISTRY_AT": f"{HOST}=127.0.0.1:5000, docker.io=[::1]:5001,"}) == {
        HOST: "127.0.0.1:5000",
        "docker.io": "[::1]:5001",
    }


@pytest.mark.parametrize("pair", [HOST, f"{HOST}=", "=127.0.0.1", f"{HOST}=10.0.0.1:5000", f"{HOST}=registry.test"])
def test_an_address_that_is_not_this_machines_is_told(pair: str) -> None:
    with pytest.raises(SettingsError) as caught:
        RegistryClient("docker.io", {"ESTEIRA_REGISTRY_AT": f"a.test=localhost:1,{pair}"})
    assert str(caught.value) == (
        f'ESTEIRA_REGISTRY_AT: has "{pair}". Expected a registry\'s host and an address of this machine, '
        f"such as {HOST}=127.0.0.1:5000, more with commas."
    )


@pytest.mark.programs
@pytest.mark.loopback
def test_a_host_is_asked_elsewhere_and_images_keep_their_names(registry: RegistryServer, tmp_path: Path) -> None:
    client = RegistryClient(HOST, {"ESTEIRA_REGISTRY_AT": f"{HOST}={registry.host}", "HOME": "/nowhere"})
    blob = make_blob(tmp_path / "blob", 1000)
    client.upload_blob("a/b", tmp_path / "blob", blob)
    assert client.host == HOST
    assert RegistryClient(registry.host, {}).has_blob("a/b", blob.digest)


@pytest.mark.programs
@pytest.mark.loopback
def test_no_credentials_are_looked_for_there(password_registry: RegistryServer, tmp_path: Path) -> None:
    auth = f'{{"auths": {{"{HOST}": {{"username": "{USER}", "password": "{PASSWORD}"}}}}}}'
    (tmp_path / "config.json").write_text(auth)
    environ = {"ESTEIRA_REGISTRY_AT": f"{HOST}={password_registry.host}", "DOCKER_CONFIG": str(tmp_path)}
    with pytest.raises(Exception, match=rf"^{HOST}/a/b@sha256:0+: the registry refuses access \(401"):
        RegistryClient(HOST, environ).has_blob("a/b", f"sha256:{'0' * 64}")
