"""A project whose endpoints log, into the stand-in of BigQuery, what they are asked."""

import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from esteira.local.cloud.logged_requests import LoggedRequests
from esteira.local.cloud.server import served
from esteira.local.cloud.warehouse.jobs import Jobs
from esteira.local.cloud.warehouse.table_data import TableData
from esteira.local.cloud.warehouse.tables import Warehouse
from esteira.monitoring.bigquery.engine import BigQuery
from esteira.monitoring.forms import FORMS, schema_path
from esteira.settings import Settings
from tests.conftest import REPOSITORY
from tests.vertex.endpoint_project import Project


class LoggedProject(Project):
    """A project with the environment's dataset, as apply has made it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        super().__init__(settings, folder)
        self.warehouse = Warehouse("demo-project")
        self.jobs = Jobs(self.warehouse)
        self.requests = LoggedRequests(self.warehouse, lag_s=0)
        self.endpoints.log = self.requests.keep
        self.stand_in.add({**self.warehouse.handlers(), **self.jobs.handlers(), **TableData(self.warehouse).handlers()})
        self.stand_in.paths.update(self.jobs.paths())
        self.warehouse.put_dataset("esteira")
        for table in FORMS:
            fields = json.loads((REPOSITORY / schema_path(table)).read_text(encoding="utf-8"))
            self.warehouse.put_table(f"esteira.{table}", {"schema": {"fields": fields}})

    def rows(self, sql: str) -> List[Dict[str, Any]]:
        """Return the rows of a query, in which DATASET stands for the environment's."""
        engine = BigQuery(self.settings, self.api)
        return engine.query("read", sql.replace("DATASET", engine.dataset))


@contextmanager
def reached(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve a project's stand-in until the end of the block, and lead to it whatever asks Google meanwhile."""
    with served(project.stand_in):
        for name, value in project.stand_in.variables().items():
            monkeypatch.setenv(name, value)
        yield
