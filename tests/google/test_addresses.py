"""Where Google's APIs answer."""

import pytest

from esteira.errors import SettingsError
from esteira.google.addresses import base_url, is_local_url, upload_url


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("cloudbuild", "https://cloudbuild.googleapis.com/"),
        ("aiplatform", "https://europe-west1-aiplatform.googleapis.com/"),
        ("storage", "https://storage.googleapis.com/storage/v1/"),
        ("bigquery", "https://bigquery.googleapis.com/bigquery/v2/"),
    ],
)
def test_a_service_is_at_google_s_address(service: str, expected: str) -> None:
    assert base_url(service, "europe-west1", {}) == expected


def test_gcloud_s_variable_says_otherwise() -> None:
    environ = {"CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM": "https://aiplatform.private.example.test"}
    assert base_url("aiplatform", "europe-west1", environ) == "https://aiplatform.private.example.test/"


def test_the_variable_of_google_s_clients_says_where_storage_is() -> None:
    environ = {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:4443"}
    assert base_url("storage", "europe-west1", environ) == "http://127.0.0.1:4443/storage/v1/"
    environ["CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"] = "http://127.0.0.1:4444/storage/v1/"
    assert base_url("storage", "europe-west1", environ) == "http://127.0.0.1:4444/storage/v1/"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", "http://storage.example.test/storage/v1/"),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", "http://127.0.0.1.example.test/storage/v1/"),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", "http://127.0.0.1:80@example.test/storage/v1/"),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", "ftp://127.0.0.1/storage/v1/"),
        ("STORAGE_EMULATOR_HOST", "http://storage.example.test"),
        ("STORAGE_EMULATOR_HOST", "127.0.0.1:4443"),
    ],
)
def test_no_credentials_go_over_plain_http_to_another_machine(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        base_url("storage", "europe-west1", {variable: value})
    assert str(caught.value).startswith(f"{variable}: is {value}")
    assert str(caught.value).endswith("; expected https://…, or http:// on 127.0.0.1")


def test_this_machine_is_known_by_each_of_its_names() -> None:
    local = ["http://127.0.0.1:1/", "http://localhost", "http://[::1]:8080/a", "http://127.1.2.3/"]
    assert [is_local_url(url) for url in local] == [True] * 4
    assert not is_local_url("https://127.0.0.1/")


def test_contents_are_taken_beside_the_api() -> None:
    assert upload_url("https://storage.googleapis.com/storage/v1/") == (
        "https://storage.googleapis.com/upload/storage/v1/"
    )
