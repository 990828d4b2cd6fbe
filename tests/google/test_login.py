"""Whose credentials requests bear, and what is said where there are none."""

import json
import os
from pathlib import Path
from typing import Callable, Iterator, List

import pytest

from esteira.errors import GoogleError
from esteira.google.api import Api
from esteira.google.login import Login
from esteira.google.refusals import LostError
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.server import Call, Raw, StandIn, served
from tests.google.conftest import token_answer
from tests.google.server import served_over_tls

pytestmark = [pytest.mark.loopback, pytest.mark.programs]

GET = "cloudresourcemanager.projects.get"
LOG_IN = "Log in: gcloud auth application-default login    Then run the command again."
NO_LOGIN = "there are no credentials for Google Cloud that can be used"
SECRETS = ("secret-refresh-token", "secret-of-the-client", "ya29.")

TokenServer = Callable[..., List[Call]]


def write_gcloud(home: Path, *lines: str) -> Path:
    """Put a gcloud on the PATH that writes down how it was called."""
    program = home / "bin" / "gcloud"
    program.write_text("\n".join(["#!/bin/sh", f'echo "$@" >> {home}/called', *lines]) + "\n")
    program.chmod(0o755)
    return home / "called"


def test_without_credentials_the_command_is_told(home: Path) -> None:
    with pytest.raises(GoogleError) as caught:
        Login(os.environ).token()
    first, *rest = str(caught.value).splitlines()
    assert first.startswith(f"{NO_LOGIN}: Your default credentials were not found.")
    assert rest == [LOG_IN]
    assert caught.value.status == 401


def test_a_file_that_is_named_and_missing_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody else's credentials are taken for it."""
    called = write_gcloud(home, "echo ya29.of-gcloud")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(home / "none.json"))
    with pytest.raises(GoogleError) as caught:
        Login(os.environ).token()
    assert str(caught.value) == f"{NO_LOGIN}: File {home}/none.json was not found.\n{LOG_IN}"
    assert not called.exists()


def test_a_file_that_is_damaged_is_told(logged_in: Path) -> None:
    logged_in.write_text("{")
    with pytest.raises(GoogleError) as caught:
        Login(os.environ).token()
    assert str(caught.value).startswith(f"{NO_LOGIN}: ")
    assert str(caught.value).endswith(f"\n{LOG_IN}")


def test_who_is_logged_in_to_gcloud_alone_is_that_account(home: Path) -> None:
    called = write_gcloud(home, "echo ya29.of-gcloud")
    login = Login(os.environ)
    assert [login.token(), login.token()] == ["ya29.of-gcloud"] * 2
    assert (login.quota_project, login.counted_for("demo-project")) == (None, "demo-project")
    assert called.read_text() == "auth print-access-token --quiet\n"
    assert login.token(fresh=True) == "ya29.of-gcloud"
    assert len(called.read_text().splitlines()) == 2


def test_a_gcloud_that_is_not_logged_in_is_no_help(home: Path) -> None:
    write_gcloud(home, "echo 'ERROR: You do not currently have an active account selected.' >&2", "exit 1")
    with pytest.raises(GoogleError, match="Your default credentials were not found"):
        Login(os.environ).token()


def test_a_token_is_asked_for_once(logged_in: Path, token_server: TokenServer) -> None:
    asked = token_server(token_answer("ya29.one"), token_answer("ya29.two"))
    login = Login(os.environ)
    assert [login.token(), login.token()] == ["ya29.one"] * 2
    assert login.token(fresh=True) == "ya29.two"
    assert login.quota_project == "quota-project"
    assert len(asked) == 2
    assert b"grant_type=refresh_token" in asked[0].content


def test_a_login_that_has_expired_is_told(logged_in: Path, token_server: TokenServer) -> None:
    body = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
    token_server(Raw(400, json.dumps(body).encode(), {"Content-Type": "application/json"}))
    with pytest.raises(GoogleError) as caught:
        Login(os.environ).token()
    assert str(caught.value) == f"{NO_LOGIN}: invalid_grant: Token has been expired or revoked.\n{LOG_IN}"


@pytest.fixture
def api(logged_in: Path, stand_in: StandIn, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    environ = {**os.environ, **stand_in.variables()}
    return Api("demo-project", "europe-west1", environ, pause=lambda pause_s: None)


@pytest.fixture
def stand_in(certificate: Path) -> Iterator[StandIn]:
    with served_over_tls(StandIn({GET: lambda call: {}}), certificate) as running:
        yield running


def get(api: Api) -> None:
    api.call("look at the project", "cloudresourcemanager", "GET", "v1/projects/demo-project")


def test_requests_bear_the_token_and_the_project_that_they_count_for(
    api: Api, stand_in: StandIn, token_server: TokenServer
) -> None:
    token_server(token_answer("ya29.one"))
    get(api)
    (call,) = stand_in.calls
    assert call.headers["Authorization"] == "Bearer ya29.one"
    assert call.headers["X-Goog-User-Project"] == "quota-project"


def test_a_persons_requests_count_for_the_project_where_no_other_is_named(
    api: Api, logged_in: Path, stand_in: StandIn, token_server: TokenServer
) -> None:
    credentials = json.loads(logged_in.read_text())
    del credentials["quota_project_id"]
    logged_in.write_text(json.dumps(credentials))
    token_server(token_answer("ya29.one"))
    get(api)
    assert stand_in.calls[0].headers["X-Goog-User-Project"] == "demo-project"


def test_an_accounts_requests_count_for_its_own(
    api: Api, home: Path, certificate: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, email = home / "account.json", "esteira-build@demo-project.iam.gserviceaccount.com"
    key = certificate.read_text().partition("-----BEGIN CERTIFICATE-----")[0]
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with served(StandIn(paths={"token": lambda call: token_answer("ya29.one")})) as tokens:
        body = {"type": "service_account", "client_email": email, "private_key": key}
        file.write_text(json.dumps({**body, "token_uri": f"{tokens.url}token"}))
        get(api)
    assert stand_in.calls[0].headers["Authorization"] == "Bearer ya29.one"
    assert "X-Goog-User-Project" not in stand_in.calls[0].headers


def test_what_netrc_has_is_not_sent(api: Api, logged_in: Path, stand_in: StandIn, token_server: TokenServer) -> None:
    (Path(os.environ["HOME"]) / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    token_server(token_answer("ya29.one"))
    get(api)
    assert stand_in.calls[0].headers["Authorization"] == "Bearer ya29.one"


def test_a_token_that_has_expired_is_renewed_once(api: Api, stand_in: StandIn, token_server: TokenServer) -> None:
    asked = token_server(token_answer("ya29.one"), token_answer("ya29.two"))
    stand_in.faults.add(Fault(GET, "expired"))
    get(api)
    assert [call.headers["Authorization"] for call in stand_in.calls] == ["Bearer ya29.one", "Bearer ya29.two"]
    stand_in.faults.add(Fault(GET, "expired", times=2))
    with pytest.raises(GoogleError) as caught:
        get(api)
    assert str(caught.value) == (
        "Google Cloud: cannot look at the project: Request had invalid authentication credentials.\n" + LOG_IN
    )
    assert (len(stand_in.calls), len(asked)) == (4, 3)


def test_a_token_server_that_does_not_answer_is_asked_again(
    api: Api, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", "http://127.0.0.1:9/token")
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda pause_s: None)
    pauses: List[float] = []
    patient = Api("demo-project", "europe-west1", api.environ, pause=pauses.append, retry_s=2)
    with pytest.raises(LostError) as caught:
        patient.call("create the build", "cloudbuild", "POST", "v1/projects/demo-project/builds", body={})
    assert str(caught.value) == (
        "Google Cloud: cannot create the build: no answer: Failed to establish a new connection: [Errno 111] "
        "Connection refused\nCheck the network. Run the command again: it goes on from what is there."
    )
    assert (len(pauses), stand_in.calls) == (2, [])


def test_no_secret_is_ever_told(
    api: Api, stand_in: StandIn, token_server: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token_server(token_answer("ya29.one"), token_answer("ya29.two"))
    told = []
    for fault in (Fault(GET, "expired", times=2), Fault(GET, "denied"), Fault(GET, "reset", times=100)):
        stand_in.faults.add(fault)
        with pytest.raises(GoogleError) as caught:
            get(api)
        told.append(repr(caught.value) + repr(caught.value.__cause__))
    assert not [secret for secret in SECRETS if secret in caplog.text + "".join(told)]


def test_a_server_that_is_not_google_s_gets_no_token(
    api: Api, stand_in: StandIn, token_server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    token_server(token_answer("ya29.one"))
    impatient = Api("demo-project", "europe-west1", api.environ, retry_s=0)
    with pytest.raises(LostError, match="certificate verify failed"):
        get(impatient)
    assert stand_in.calls == []
