"""Credentials, from where somebody logged in, and never shown."""

import base64
import json
import os
from pathlib import Path
from typing import Any, Dict

import pytest

from esteira.errors import RegistryError
from esteira.images.registry.credentials import Credentials, find_credentials

HELPER = """#!/bin/sh
read -r asked
printf '%s' "$asked" > "$(dirname "$0")/asked"
{act}
"""
ANSWER = """echo '{"ServerURL": "there", "Username": "ana", "Secret": "geheim"}'"""


def write_config(folder: Path, config: Dict[str, Any]) -> Dict[str, str]:
    """Return an environment in which `config` is Docker's, and programs of the folder are found first."""
    (folder / "config.json").write_text(json.dumps(config))
    return {"DOCKER_CONFIG": str(folder), "PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)}


def write_helper(folder: Path, name: str, act: str) -> None:
    (folder / name).write_text(HELPER.format(act=act))
    (folder / name).chmod(0o755)


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_without_a_login_a_registry_is_asked_anonymously(tmp_path: Path) -> None:
    assert find_credentials("docker.io", {"HOME": str(tmp_path)}) is None


def test_docker_keeps_a_password_in_its_settings(tmp_path: Path) -> None:
    environ = write_config(tmp_path, {"auths": {"127.0.0.1:5000": {"auth": encode("ana:ge:heim")}}})
    assert find_credentials("127.0.0.1:5000", environ) == Credentials("ana", "ge:heim")
    assert find_credentials("127.0.0.1:5001", environ) is None


def test_the_settings_are_in_the_home_folder_where_nothing_else_is_said(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    write_config(tmp_path / ".docker", {"auths": {"https://index.docker.io/v1/": {"auth": encode("ana:geheim")}}})
    assert find_credentials("docker.io", {"HOME": str(tmp_path)}) == Credentials("ana", "geheim")


def test_an_identity_token_is_kept_beside_the_password(tmp_path: Path) -> None:
    environ = write_config(tmp_path, {"auths": {"https://a.b/v1/": {"auth": encode("ana:"), "identitytoken": "t"}}})
    assert find_credentials("a.b", environ) == Credentials("ana", "", "t")


def test_settings_that_belong_to_another_user_count_as_none(tmp_path: Path) -> None:
    """As in a home that is root's, where Cloud Build has a step's."""
    environ = write_config(tmp_path, {"auths": {"a.b": {"auth": encode("ana:geheim")}}})
    (tmp_path / "config.json").chmod(0o000)
    user = os.geteuid()
    os.seteuid(user or 65532)
    try:
        assert find_credentials("a.b", environ) is None
    finally:
        os.seteuid(user)


@pytest.mark.programs
def test_a_registry_s_own_helper_is_asked_before_the_file(tmp_path: Path) -> None:
    write_helper(tmp_path, "docker-credential-mine", ANSWER)
    config = {"auths": {"a.b": {"auth": encode("ana:other")}}, "credHelpers": {"a.b": "mine"}, "credsStore": "none"}
    environ = write_config(tmp_path, config)
    assert find_credentials("a.b", environ) == Credentials("ana", "geheim")
    assert (tmp_path / "asked").read_text() == "a.b"


@pytest.mark.programs
def test_the_helper_for_all_registries_may_hold_an_identity_token(tmp_path: Path) -> None:
    write_helper(tmp_path, "docker-credential-all", ANSWER.replace("ana", "<token>"))
    environ = write_config(tmp_path, {"auths": {"https://index.docker.io/v1/": {}}, "credsStore": "all"})
    assert find_credentials("docker.io", environ) == Credentials("", "", "geheim")
    assert (tmp_path / "asked").read_text() == "https://index.docker.io/v1/"


@pytest.mark.programs
def test_a_helper_that_knows_nothing_is_no_error(tmp_path: Path) -> None:
    write_helper(tmp_path, "docker-credential-all", "echo credentials not found in native keychain; exit 1")
    assert find_credentials("a.b", write_config(tmp_path, {"credsStore": "all"})) is None


@pytest.mark.programs
def test_a_helper_that_fails_is_told_of(tmp_path: Path) -> None:
    write_helper(tmp_path, "docker-credential-all", "echo the keychain is locked >&2; exit 3")
    with pytest.raises(RegistryError) as error:
        find_credentials("a.b", write_config(tmp_path, {"credsStore": "all"}))
    assert str(error.value) == (
        "a.b: docker-credential-all gives no credentials: docker-credential-all get\n"
        "left with status 3:\n"
        "the keychain is locked\n"
        "Mend it, or run: docker login a.b"
    )


@pytest.mark.programs
def test_a_helper_that_is_missing_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(RegistryError) as error:
        find_credentials("a.b", write_config(tmp_path, {"credsStore": "lost"}))
    assert str(error.value) == (
        "a.b: docker-credential-lost gives no credentials: docker-credential-lost: no such program on the PATH.\n"
        "Install docker-credential-lost and try again.\n"
        "Mend it, or run: docker login a.b"
    )


@pytest.mark.programs
@pytest.mark.parametrize("act", [f"{ANSWER}; exit 1", ANSWER.replace("Username", "User")])
def test_no_error_shows_a_helper_s_secret(tmp_path: Path, act: str) -> None:
    write_helper(tmp_path, "docker-credential-all", act)
    with pytest.raises(RegistryError) as error:
        find_credentials("a.b", write_config(tmp_path, {"credsStore": "all"}))
    assert "geheim" not in str(error.value)
    assert error.value.__cause__ is None and error.value.__suppress_context__


def test_credentials_are_not_shown() -> None:
    assert repr(Credentials("ana", "geheim", "token")) == "Credentials(user='ana')"


@pytest.mark.parametrize("text", ["{", "[]"])
def test_settings_that_cannot_be_read_say_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(RegistryError) as error:
        find_credentials("a.b", {"DOCKER_CONFIG": str(tmp_path)})
    assert str(error.value) == (
        f"{tmp_path}/config.json: cannot be read as Docker's JSON settings. Mend it, or remove it and run: docker login"
    )


def test_an_entry_that_is_no_base64_says_so_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(RegistryError) as error:
        find_credentials("a.b", write_config(tmp_path, {"auths": {"a.b": {"auth": "geheim!"}}}))
    assert str(error.value) == (
        f"{tmp_path}/config.json: auths: a.b: auth is not base64 of user:password. Run: docker login"
    )


@pytest.mark.programs
def test_gcloud_s_helper_is_asked_for_google_s_registries_only(tmp_path: Path) -> None:
    write_helper(tmp_path, "docker-credential-gcloud", ANSWER.replace("ana", "_dcgcloud_token"))
    environ = write_config(tmp_path, {})
    assert find_credentials("europe-west1-docker.pkg.dev", environ) == Credentials("_dcgcloud_token", "geheim")
    assert (tmp_path / "asked").read_text() == "https://europe-west1-docker.pkg.dev"
    assert find_credentials("docker.io", environ) is None


@pytest.mark.programs
def test_gcloud_itself_gives_a_token_where_its_helper_is_missing(tmp_path: Path) -> None:
    (tmp_path / "gcloud").write_text('#!/bin/sh\n[ "$*" = "auth print-access-token --quiet" ] && echo geheim\n')
    (tmp_path / "gcloud").chmod(0o755)
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    assert find_credentials("eu.gcr.io", environ) == Credentials("oauth2accesstoken", "geheim")


@pytest.mark.programs
def test_without_a_login_at_gcloud_a_google_registry_is_asked_anonymously(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_helper(tmp_path, "docker-credential-gcloud", "echo log in >&2; exit 1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    assert find_credentials("eu.gcr.io", {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}) is None
