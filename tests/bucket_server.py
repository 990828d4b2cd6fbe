"""The stand-in's bucket server for tests; fixtures for a conftest to import."""

import os
import secrets
from typing import Iterator

import pytest
import requests

from esteira.errors import ProgramError
from esteira.local.cloud import storage
from esteira.local.cloud.bucket import free_port, serve_buckets
from esteira.local.cloud.contents import Contents
from esteira.local.cloud.server import StandIn, served
from esteira.local.cloud.storage import Buckets
from esteira.settings import Environment
from tests.conftest import REPOSITORY

__all__ = ["bucket_server", "environment", "free_port", "stand_in"]

TIMEOUT_S = 30


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[str]:
    """Run the server for a session and return its URL; tests fail if it cannot be had."""
    served = serve_buckets(REPOSITORY / ".esteira", os.environ)
    try:
        url = served.__enter__()
    except ProgramError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    yield url
    served.__exit__(None, None, None)


@pytest.fixture
def environment(bucket_server: str, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment whose bucket is empty, on the server, where the store finds it."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket_server)
    bucket = f"bucket-{secrets.token_hex(4)}"
    requests.post(f"{bucket_server}/storage/v1/b", json={"name": bucket}, timeout=TIMEOUT_S).raise_for_status()
    return Environment(project="demo-project", region="europe-west1", bucket=bucket, repository="images")


@pytest.fixture
def stand_in(bucket_server: str, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The stand-in of Cloud Storage before the bucket server, where the store and Google's programs find it."""
    buckets = Buckets(Contents(bucket_server))
    buckets.put(environment.bucket)
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    with served(StandIn(storage.handlers(buckets), storage.paths(buckets))) as running:
        for name, value in running.variables().items():
            monkeypatch.setenv(name, value)
        yield running
