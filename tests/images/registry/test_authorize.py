"""Registries that want a password or a token, for real, and what they are sent."""

import base64
import json
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

import pytest

from esteira.errors import RegistryError
from esteira.images.descriptor import describe_bytes
from esteira.images.registry.challenge import Challenge, read_challenge
from tests.images.registry.asking import ENVIRON, make_blob, make_client
from tests.images.registry_front import Front, FrontServer, run_front, run_token_registry
from tests.images.registry_server import PASSWORD, USER, RegistryServer

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

NONE = describe_bytes("", b"no such blob").digest


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[Tuple[RegistryServer, FrontServer]]:
    with run_token_registry(tmp_path / "token-registry") as servers:
        yield servers


def logged_in(folder: Path, host: str, entry: Dict[str, Any]) -> Dict[str, str]:
    (folder / "config.json").write_text(json.dumps({"auths": {host: entry}}))
    return {**ENVIRON, "DOCKER_CONFIG": str(folder)}


def password_entry(password: str = PASSWORD) -> Dict[str, str]:
    return {"auth": base64.b64encode(f"{USER}:{password}".encode()).decode()}


def test_a_password_opens_a_registry(password_registry: RegistryServer, tmp_path: Path) -> None:
    host = password_registry.host
    client, _ = make_client(host, logged_in(tmp_path, host, password_entry()))
    blob = make_blob(tmp_path / "blob", 100_000)
    client.upload_blob("a/b", tmp_path / "blob", blob)
    assert client.has_blob("a/b", blob.digest)


@pytest.mark.parametrize("entry", [{}, password_entry("geheim")])
def test_no_or_a_wrong_password_says_how_to_log_in(
    password_registry: RegistryServer, tmp_path: Path, entry: Dict[str, str]
) -> None:
    host = password_registry.host
    client, pauses = make_client(host, logged_in(tmp_path, host, entry))
    with pytest.raises(RegistryError) as error:
        client.get_manifest("a/b", NONE)
    assert str(error.value) == (
        f"{host}/a/b@{NONE}: the registry refuses access (401 Unauthorized: authentication required).\n"
        f"Log in: docker login {host}"
    )
    assert pauses == []


def test_a_token_is_asked_for_once_a_scope(tokens: Tuple[RegistryServer, FrontServer], tmp_path: Path) -> None:
    registry, server = tokens
    client, _ = make_client(registry.host, logged_in(tmp_path, registry.host, password_entry()))
    blob = make_blob(tmp_path / "blob", 100_000)
    for repository in ("a/b", "c/d"):
        assert not client.has_blob(repository, blob.digest)
    client.upload_blob("a/b", tmp_path / "blob", blob)
    assert client.has_blob("a/b", blob.digest)
    assert client.upload_blob("c/d", tmp_path / "blob", blob, ["a/b"]) == (0, True)
    assert server.patched == [
        "repository:a/b:pull",
        "repository:c/d:pull",
        "repository:a/b:pull,push",
        "repository:c/d:pull,push repository:a/b:pull",
    ]


@pytest.mark.parametrize(("token_s", "asked"), [(1, 2), (300, 1)])
def test_a_token_whose_time_is_nearly_over_is_renewed_before_it_is_used(
    tokens: Tuple[RegistryServer, FrontServer], tmp_path: Path, token_s: int, asked: int
) -> None:
    registry, server = tokens
    client, _ = make_client(registry.host, logged_in(tmp_path, registry.host, password_entry()))
    assert not client.has_blob("a/b", NONE)
    server.patched.clear()
    server.token_s = token_s
    for repository in ("c/d", "c/d"):
        assert not client.has_blob(repository, NONE)
    assert server.patched == ["repository:c/d:pull"] * asked


def test_a_token_that_the_registry_no_longer_takes_is_renewed_once(
    tokens: Tuple[RegistryServer, FrontServer], tmp_path: Path
) -> None:
    registry, server = tokens
    revoked = []

    class Revokes(Front):
        def answers(self) -> bool:
            given = self.headers.get("Authorization")
            if len(self.server.seen) == 3:
                revoked.append(given)
            if given is None or given not in revoked:
                return False
            challenge = f'Bearer realm="http://{server.host}/token",service="test-registry"'
            self.answer(401, {"WWW-Authenticate": challenge})
            return True

    with run_front(registry.host, Revokes) as front:
        client, _ = make_client(front.host, logged_in(tmp_path, front.host, password_entry()))
        for _ in range(3):
            assert not client.has_blob("a/b", NONE)
        assert len(front.seen) == 5
    assert server.patched == ["repository:a/b:pull"] * 2


def test_an_upload_that_is_sent_elsewhere_takes_no_password_along(
    password_registry: RegistryServer, tmp_path: Path
) -> None:
    given = []

    class Storage(Front):
        def answers(self) -> bool:
            self.body()
            given.append(self.headers.get("Authorization"))
            self.answer(201, {})
            return True

    with run_front("", Storage) as storage:

        class SendsToStorage(Front):
            def answers(self) -> bool:
                if self.command != "POST" or not self.headers.get("Authorization"):
                    return False
                self.answer(202, {"Location": f"http://localhost:{storage.server_port}/upload"})
                return True

        with run_front(password_registry.host, SendsToStorage) as front:
            client, _ = make_client(front.host, logged_in(tmp_path, front.host, password_entry()))
            client.upload_blob("a/b", tmp_path / "blob", make_blob(tmp_path / "blob", 100))
    assert given == [None, None]


def test_a_helper_s_password_opens_a_registry(password_registry: RegistryServer, tmp_path: Path) -> None:
    helper = tmp_path / "docker-credential-test"
    helper.write_text(f"""#!/bin/sh\necho '{{"Username": "{USER}", "Secret": "{PASSWORD}"}}'\n""")
    helper.chmod(0o755)
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {password_registry.host: "test"}}))
    environ = {"PATH": f"{tmp_path}:{ENVIRON['PATH']}", "DOCKER_CONFIG": str(tmp_path)}
    client, _ = make_client(password_registry.host, environ)
    assert not client.has_blob("a/b", NONE)


def test_an_identity_token_is_sent_to_the_token_server(
    tokens: Tuple[RegistryServer, FrontServer], tmp_path: Path
) -> None:
    registry, server = tokens
    entry = {"identitytoken": "an identity token"}
    client, _ = make_client(registry.host, logged_in(tmp_path, registry.host, entry))
    client.upload_blob("a/b", tmp_path / "blob", make_blob(tmp_path / "blob", 100))
    assert server.seen == ["POST /token"]


def test_anybody_reads_what_is_public_and_nobody_writes(
    tokens: Tuple[RegistryServer, FrontServer], tmp_path: Path
) -> None:
    registry, _ = tokens
    client, _ = make_client(registry.host)
    assert not client.has_blob("a/b", NONE)
    with pytest.raises(RegistryError) as error:
        client.upload_blob("a/b", tmp_path / "blob", make_blob(tmp_path / "blob", 100))
    assert str(error.value).partition("@")[0] == f"{registry.host}/a/b"
    assert str(error.value).endswith(
        ": the registry refuses access (401 Unauthorized: authentication required).\n"
        f"Log in: docker login {registry.host}"
    )


def test_a_wrong_password_is_told_of_by_the_token_server(
    tokens: Tuple[RegistryServer, FrontServer], tmp_path: Path
) -> None:
    registry, _ = tokens
    client, _ = make_client(registry.host, logged_in(tmp_path, registry.host, password_entry("geheim")))
    with pytest.raises(RegistryError) as error:
        client.has_blob("a/b", NONE)
    assert str(error.value) == (
        f"{registry.host}: repository:a/b:pull: the registry refuses access "
        "(401 Unauthorized: wrong user or password).\n"
        f"Log in: docker login {registry.host}"
    )


def test_a_password_is_sent_to_no_token_server_without_tls(tmp_path: Path) -> None:
    class SendsAway(Front):
        def answers(self) -> bool:
            self.answer(401, {"WWW-Authenticate": 'Bearer realm="http://token.example/token",service="a"'})
            return True

    with run_front("", SendsAway) as front:
        client, _ = make_client(front.host, logged_in(tmp_path, front.host, password_entry()))
        with pytest.raises(RegistryError) as error:
            client.has_blob("a/b", NONE)
    assert str(error.value) == (
        f"{front.host}: sends to http://token.example/token for a token. Expected a URL that begins with https://."
    )


def test_a_password_does_not_follow_a_blob_to_another_host(password_registry: RegistryServer, tmp_path: Path) -> None:
    given = []

    class Storage(Front):
        def answers(self) -> bool:
            given.append(self.headers.get("Authorization"))
            self.answer(200, {}, b"content")
            return True

    with run_front("", Storage) as storage:

        class SendsToStorage(Front):
            def answers(self) -> bool:
                if not self.headers.get("Authorization"):
                    return False
                self.answer(307, {"Location": f"http://localhost:{storage.server_port}/blob"})
                return True

        with run_front(password_registry.host, SendsToStorage) as front:
            client, _ = make_client(front.host, logged_in(tmp_path, front.host, password_entry()))
            client.fetch_blob("a/b", describe_bytes("", b"content"), tmp_path / "fetched")
    assert given == [None]


@pytest.mark.parametrize(
    ("header", "challenge"),
    [
        ('Basic realm="a, b"', Challenge("basic", {"realm": "a, b"})),
        ("basic", Challenge("basic", {})),
        (
            'Bearer realm="https://a/token",service="b c",scope="repository:a/b:pull,push"',
            Challenge("bearer", {"realm": "https://a/token", "service": "b c", "scope": "repository:a/b:pull,push"}),
        ),
        (
            'Basic realm="a", Bearer realm="https://a/token", service=b',
            Challenge("bearer", {"realm": "https://a/token", "service": "b"}),
        ),
        ("Negotiate", None),
        ("Bearer", None),
        ("", None),
    ],
)
def test_a_challenge_is_read(header: str, challenge: Challenge) -> None:
    assert read_challenge(header) == challenge
