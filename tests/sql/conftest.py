"""The emulator, once a session, and a request log in both places for each test."""

from pathlib import Path
from typing import Iterator

import pytest

from tests.sql.emulator import serve_emulator
from tests.sql.places import Both, Emulated, both_places


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_emulator(tmp_path_factory.mktemp("local-bigquery")) as url:
        yield url


@pytest.fixture
def both(emulator: str, tmp_path: Path) -> Iterator[Both]:
    with both_places(tmp_path / "warehouse", Emulated(emulator)) as places:
        yield places
