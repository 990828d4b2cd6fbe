"""References to images, as people write them."""

import pytest

from esteira.errors import ImageError
from esteira.images.registry import Reference, mirrored, parse_reference
from esteira.images.registry.hosts import api_url, credentials_key, is_google

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("python", Reference("docker.io", "library/python")),
        ("python:3.8-slim", Reference("docker.io", "library/python", "3.8-slim")),
        (f"python:3.8-slim@{DIGEST}", Reference("docker.io", "library/python", "3.8-slim", DIGEST)),
        ("tensorflow/serving", Reference("docker.io", "tensorflow/serving")),
        ("index.docker.io/python", Reference("docker.io", "library/python")),
        ("localhost/a", Reference("localhost", "a")),
        ("localhost:5000/a/b:v1", Reference("localhost:5000", "a/b", "v1")),
        ("[::1]:5000/a", Reference("[::1]:5000", "a")),
        ("gcr.io/p/a__b.c-d", Reference("gcr.io", "p/a__b.c-d")),
        (f"europe-west1-docker.pkg.dev/p/r/i@{DIGEST}", Reference("europe-west1-docker.pkg.dev", "p/r/i", "", DIGEST)),
    ],
)
def test_a_reference_is_read(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    ["", "Python", "python:", "python@sha256:abc", "a@sha512:0", "a//b", "http://a.b/c", "a.b/", "-a", "a b"],
)
def test_what_is_no_reference_says_what_was_expected(text: str) -> None:
    with pytest.raises(ImageError) as error:
        parse_reference(text)
    assert str(error.value) == (
        f'"{text}" is no reference to an image. '
        "Expected [host[:port]/]path[:tag][@sha256:<64 hex>], such as docker.io/library/python:3.8-slim."
    )


def test_a_reference_is_written_as_it_is_read() -> None:
    text = f"localhost:5000/a/b:v1@{DIGEST}"
    assert str(parse_reference(text)) == text
    assert str(parse_reference("python")) == "docker.io/library/python"


def test_a_mirror_takes_the_place_of_its_host_and_keeps_the_digest() -> None:
    reference = parse_reference(f"python:3.8-slim@{DIGEST}")
    there = mirrored(reference, {"docker.io": "europe-west1-docker.pkg.dev/my-project/dockerhub"})
    assert there == Reference("europe-west1-docker.pkg.dev", "my-project/dockerhub/library/python", "3.8-slim", DIGEST)
    assert mirrored(reference, {"docker.io": "127.0.0.1:5000"}).repository == "library/python"
    assert mirrored(reference, {"gcr.io": "127.0.0.1:5000"}) is reference


@pytest.mark.parametrize("mirror", ["my-project/dockerhub", "", "https://a.b/c", "A.b/C:v1"])
def test_a_mirror_that_is_no_registry_says_so(mirror: str) -> None:
    with pytest.raises(ImageError) as error:
        mirrored(parse_reference("python"), {"docker.io": mirror})
    assert str(error.value) == (
        f'mirror of docker.io: "{mirror}" names no registry. '
        "Expected host[:port][/path], such as europe-west1-docker.pkg.dev/my-project/dockerhub."
    )


def test_only_this_machine_is_asked_without_tls() -> None:
    assert api_url("docker.io") == "https://registry-1.docker.io"
    assert api_url("127.0.0.1:5000") == "http://127.0.0.1:5000"
    assert api_url("localhost") == "http://localhost"
    assert api_url("[::1]:5000") == "http://[::1]:5000"
    assert api_url("localhost.example:5000") == "https://localhost.example:5000"
    assert api_url("10.0.0.1:5000") == "https://10.0.0.1:5000"


def test_credentials_are_kept_under_the_names_that_docker_gives() -> None:
    assert credentials_key("docker.io") == "https://index.docker.io/v1/"
    assert credentials_key("localhost:5000") == "localhost:5000"
    assert [is_google(host) for host in ("europe-west1-docker.pkg.dev", "eu.gcr.io", "gcr.io", "notgcr.io")] == [
        True,
        True,
        True,
        False,
    ]
