"""What is told of a registry that refuses, and of a network that breaks."""

import socket

import pytest
import requests

from esteira.images.registry.refusals import create_repository, log_in, reason
from tests.images.registry.asking import make_client
from tests.images.registry_front import Front, run_front


@pytest.mark.parametrize(
    ("host", "reads", "told"),
    [
        ("docker.io", True, "Log in: docker login"),
        ("127.0.0.1:5000", False, "Log in: docker login 127.0.0.1:5000"),
        (
            "europe-west1-docker.pkg.dev",
            False,
            "Log in: gcloud auth login && gcloud auth configure-docker europe-west1-docker.pkg.dev    "
            "The account needs the role roles/artifactregistry.writer.",
        ),
    ],
)
def test_how_to_log_in_depends_on_the_registry(host: str, reads: bool, told: str) -> None:
    assert log_in(host, reads) == told


def test_a_repository_of_artifact_registry_is_created_with_one_command() -> None:
    assert create_repository("europe-west1-docker.pkg.dev/my-project/images/runtime@sha256:00") == (
        "Create it: gcloud artifacts repositories create images --repository-format=docker "
        "--location=europe-west1 --project=my-project"
    )
    assert create_repository("127.0.0.1:5000/a/b@sha256:00") == "Create it there, or check its name."


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (requests.ConnectTimeout(), "it takes no connection within 10 s"),
        (requests.ReadTimeout(), "it does not answer in time"),
        (requests.exceptions.ProxyError(), "the proxy that HTTPS_PROXY or HTTP_PROXY names does not let it through"),
        (
            requests.exceptions.SSLError(),
            "its certificate is not trusted (REQUESTS_CA_BUNDLE names the file of those that are)",
        ),
        (requests.ConnectionError(OSError(socket.gaierror(-2, "x"))), "its name is not known here"),
        (requests.ConnectionError(ConnectionRefusedError()), "it refuses connections"),
        (requests.ConnectionError(), "the connection breaks"),
    ],
)
def test_a_broken_network_is_told_in_a_few_words(error: requests.RequestException, told: str) -> None:
    assert reason(error) == told


@pytest.mark.loopback
def test_a_proxy_that_does_not_let_it_through_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refuses(Front):
        def do_CONNECT(self) -> None:
            self.answer(403, {})

    with run_front("", Refuses) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.host}")
        monkeypatch.setenv("https_proxy", f"http://{proxy.host}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        client, pauses = make_client("registry.example")
        with pytest.raises(Exception) as error:
            client.resolve("a/b", "v1")
    assert str(error.value) == (
        "The registry registry.example cannot be reached: "
        "the proxy that HTTPS_PROXY or HTTP_PROXY names does not let it through."
    )
    assert pauses == []


@pytest.mark.loopback
def test_no_proxy_is_asked_for_a_registry_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    class Answers(Front):
        def answers(self) -> bool:
            self.answer(404, {})
            return True

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with run_front("", Answers) as front:
        assert make_client(front.host)[0].find_manifest("a/b", "v1") is None
