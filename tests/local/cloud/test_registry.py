"""The real registry that stands for Artifact Registry, and the bases of nothing in it."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from esteira.errors import ProgramError
from esteira.images.bases import FILE, read_bases
from esteira.images.registry.client import open_clients
from esteira.images.registry.hosts import REGISTRY_AT
from esteira.local.cloud.base import is_reachable, stand_for_bases
from esteira.local.cloud.registry import serve_registry
from tests.conftest import REPOSITORY
from tests.programs import require_program

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


@pytest.fixture(autouse=True)
def registry_program() -> None:
    require_program("docker-registry", "docker-registry")


def answers(host: str) -> bool:
    name, _, port = host.partition(":")
    try:
        socket.create_connection((name, int(port)), timeout=5).close()
        return True
    except ConnectionError:
        return False


def test_a_registry_answers_until_the_end_of_the_block_and_keeps_its_images(tmp_path: Path) -> None:
    with serve_registry(tmp_path / "registry") as host:
        assert host.startswith("127.0.0.1:")
        assert answers(host)
    assert not answers(host)
    with serve_registry(tmp_path / "registry") as again:
        assert answers(again)


def test_a_registry_that_is_not_installed_is_told_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramError) as caught, serve_registry(tmp_path / "registry"):
        raise AssertionError("served")
    told = str(caught.value).splitlines()
    assert told[0].startswith("docker-registry: does not answer at 127.0.0.1:")
    assert told[-1] == "Install it: apt-get install docker-registry"


def test_bases_of_nothing_stand_for_those_that_cannot_be_reached(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / FILE).parent.mkdir(parents=True)
    shutil.copy(str(REPOSITORY / FILE), str(root / FILE))
    (host,) = {base.image.partition("/")[0] for base in read_bases(root).values()}
    nobody = {**os.environ, REGISTRY_AT: f"{host}=127.0.0.1:9"}
    assert not is_reachable(root, {}, nobody)
    with serve_registry(tmp_path / "registry") as registry:
        environ = {**os.environ, REGISTRY_AT: f"{host}={registry}"}
        stand_for_bases(root, {}, tmp_path / "base", environ)
        assert is_reachable(root, {}, environ)
        (base,) = read_bases(root).values()
        (before,) = read_bases(REPOSITORY).values()
        assert (base.image, base.tag, base.python) == (before.image, before.tag, before.python)
        assert base.digest != before.digest
        found = open_clients(environ)(host).resolve("library/python", base.tag)
        assert found == base.digest
        # Again, as in the next rehearsal: the same.
        stand_for_bases(root, {}, tmp_path / "base", environ)
        assert read_bases(root)["python"].digest == base.digest
