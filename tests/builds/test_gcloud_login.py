"""Whose login gcloud has: that of our own requests, in a file that nobody else can read and that does not stay."""

import os
import subprocess
from pathlib import Path
from typing import Callable, Dict, List

import pytest

from esteira.builds.gcloud_login import TOKEN_FILE, gcloud_login
from esteira.builds.submit import submit_build
from esteira.errors import GoogleError
from esteira.local.cloud.server import Call, Raw
from tests.builds.scene import ARCHIVE, SUBSTITUTIONS, Scene
from tests.google.conftest import home, logged_in, token_answer, token_server
from tests.programs import require_program

__all__ = ["home", "logged_in", "token_server"]

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

TOKEN = "ya29.secret-of-a-login"
TokenServer = Callable[..., List[Call]]


@pytest.fixture
def environ(logged_in: Path, token_server: TokenServer) -> Dict[str, str]:
    """The variables of somebody who is logged in for applications, and not to gcloud."""
    token_server(token_answer(TOKEN))
    left_out = ("CLOUDSDK_", "STORAGE_EMULATOR")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def test_gcloud_has_our_login_in_a_file_of_the_users_own(environ: Dict[str, str], tmp_path: Path) -> None:
    with gcloud_login(environ, tmp_path) as variables:
        path = Path(variables[TOKEN_FILE])
        assert (path.parent, path.read_text(), path.stat().st_mode & 0o777) == (tmp_path, TOKEN, 0o600)
        assert TOKEN not in "".join(variables.values())
    assert not path.exists()


def test_the_real_gcloud_takes_it(environ: Dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    require_program("gcloud", "google-cloud-cli")
    with gcloud_login(environ, tmp_path) as variables:
        told = {**variables, "PATH": os.defpath, "CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}
        command = ["gcloud", "auth", "print-access-token"]
        assert subprocess.run(command, env=told, capture_output=True, text=True, check=True).stdout.strip() == TOKEN


def test_the_token_is_gone_after_a_failure(environ: Dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(KeyError), gcloud_login(environ, tmp_path) as variables:
        raise KeyError
    assert not Path(variables[TOKEN_FILE]).exists()


@pytest.mark.parametrize("service", ["CLOUDBUILD", "STORAGE"])
def test_a_stand_in_gets_no_token(environ: Dict[str, str], tmp_path: Path, service: str) -> None:
    environ[f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{service}"] = "http://127.0.0.1:1/"
    with gcloud_login(environ, tmp_path) as variables:
        assert TOKEN_FILE not in variables
        assert not (tmp_path / "token").exists()


@pytest.mark.parametrize("name", [TOKEN_FILE, "CLOUDSDK_AUTH_ACCESS_TOKEN"])
def test_who_tells_gcloud_whom_to_be_is_heeded(environ: Dict[str, str], tmp_path: Path, name: str) -> None:
    environ[name] = "mine"
    with gcloud_login(environ, tmp_path) as variables:
        assert {key: value for key, value in variables.items() if "ACCESS_TOKEN" in key} == {name: "mine"}


def test_a_login_that_has_expired_is_told(environ: Dict[str, str], token_server: TokenServer, tmp_path: Path) -> None:
    token_server(Raw(400, b'{"error": "invalid_grant"}', {"Content-Type": "application/json"}))
    with pytest.raises(GoogleError) as caught, gcloud_login(environ, tmp_path):
        raise AssertionError("logged in")
    assert str(caught.value).endswith("\nLog in: gcloud auth application-default login    Then run the command again.")


def test_a_submission_shows_its_token_to_nobody(scene: Scene, environ: Dict[str, str], tmp_path: Path) -> None:
    """Not among gcloud's arguments, nor in what is said where gcloud fails."""
    fake, written = tmp_path / "bin" / "gcloud", tmp_path / "written"
    fake.write_text(
        f'#!/bin/sh\necho "$@" > {written}\ncp "${TOKEN_FILE}" {tmp_path}/seen\n'
        "env >&2\necho 'ERROR: PERMISSION_DENIED: no' >&2\nexit 1\n"
    )
    fake.chmod(0o755)
    folder = tmp_path / "submission"
    folder.mkdir()
    build_file, archive = folder / "full.yaml", folder / "source.tgz"
    build_file.write_text("steps: []\n")
    archive.write_bytes(ARCHIVE)
    told = {**environ, "PATH": f"{fake.parent}:{os.defpath}"}
    with pytest.raises(GoogleError) as caught:
        submit_build(scene.settings, scene.api, build_file, archive, SUBSTITUTIONS, told)
    assert (tmp_path / "seen").read_text() == TOKEN
    assert TOKEN not in str(caught.value) + written.read_text()
    assert sorted(path.name for path in folder.iterdir()) == ["full.yaml", "source.flags.yaml", "source.tgz"]
    assert not any(TOKEN.encode() in path.read_bytes() for path in folder.iterdir())
