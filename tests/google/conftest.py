"""What requests to Google are signed with."""

import json
from pathlib import Path
from typing import Callable, Iterator, List

import pytest

from esteira.local.cloud.server import Call, Raw, StandIn, served
from tests.google.server import make_certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without credentials, and a PATH without programs."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "XDG_CONFIG_HOME", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


@pytest.fixture
def token_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., List[Call]]]:
    """Return a function that has Google's token server answer so, and gives the list of what it was asked."""
    answers: List[Raw] = []
    stand_in = StandIn(paths={"token": lambda call: answers[-1] if len(answers) == 1 else answers.pop(0)})

    def answer(*given: Raw) -> List[Call]:
        answers[:] = given
        return stand_in.calls

    with served(stand_in):
        monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{stand_in.url}token")
        yield answer


@pytest.fixture
def logged_in(home: Path) -> Path:
    """Put down what `gcloud auth application-default login` leaves, and return its path."""
    path = home / ".config" / "gcloud" / "application_default_credentials.json"
    path.parent.mkdir(parents=True)
    credentials = {
        "type": "authorized_user",
        "client_id": "client",
        "client_secret": "secret-of-the-client",
        "refresh_token": "secret-refresh-token",
        "quota_project_id": "quota-project",
    }
    path.write_text(json.dumps(credentials))
    return path


def token_answer(token: str, status: int = 200) -> Raw:
    body = {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
    return Raw(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
