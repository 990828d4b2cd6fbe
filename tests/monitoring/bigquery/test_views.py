"""The views in the stand-in of BigQuery, and what reading them scans there."""

from pathlib import Path
from typing import Iterator, List

import pytest

from esteira.errors import WarehouseError
from esteira.monitoring.front import views
from esteira.settings import Settings
from tests.vertex.logged_project import LoggedProject, reached

pytestmark = pytest.mark.loopback


@pytest.fixture
def project(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoggedProject]:
    project = LoggedProject(settings, tmp_path / "bucket")
    with reached(project, monkeypatch):
        yield project


def test_what_reading_each_view_scans_is_told(project: LoggedProject) -> None:
    said: List[str] = []
    views(project.settings, said.append)
    dataset = f"{project.settings.environment.project}.{project.settings.environment.dataset}"
    assert said[:3] == [f"view {dataset}.{name}" for name in ("requests", "daily", "accuracy")]
    ends = "scans 0 bytes (0.00 GB) of what is there now."
    assert said[3:] == [f"Reading the last 30 days of {name} {ends}" for name in ("requests", "daily", "accuracy")]


def test_without_its_tables_the_command_that_makes_them_is_told(project: LoggedProject) -> None:
    dataset = project.settings.environment.dataset
    project.warehouse.remove_table(f"{dataset}.ground_truth")
    with pytest.raises(WarehouseError) as told:
        views(project.settings, print)
    assert str(told.value).endswith(
        "has no table ground_truth, which the views read.\n"
        "Expected the tables of the request log. Run: make cloud-apply ENV=dev"
    )
