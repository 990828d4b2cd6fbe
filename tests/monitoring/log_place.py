"""A request log in the stand-in of BigQuery, and what streams a journal into it."""

from pathlib import Path
from typing import Any, Dict, List

from esteira.google.api import Api
from esteira.local.cloud.server import StandIn
from esteira.local.cloud.warehouse.table_data import TableData
from esteira.local.cloud.warehouse.tables import Warehouse
from esteira.monitoring.bigquery.stream import Streamed
from esteira.monitoring.bigquery.streamer import Streamer
from esteira.monitoring.journal.segments import JOURNAL
from esteira.monitoring.warehouse.tables import read_schema
from tests.conftest import REPOSITORY

TABLE = "demo-project.esteira.request_log"


class LogPlace:
    """The table, and a folder for a journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warehouse = Warehouse("demo-project")
        self.warehouse.put_dataset("esteira")
        schema = {"fields": read_schema(REPOSITORY, "request_log")}
        self.warehouse.put_table("esteira.request_log", {"schema": schema})
        self.stand_in = StandIn(handlers={**self.warehouse.handlers(), **TableData(self.warehouse).handlers()})

    @property
    def streamer(self) -> Streamer:
        api = Api("demo-project", "", self.stand_in.variables(), pause=lambda pause_s: None, retry_s=5)
        return Streamer(self.folder / JOURNAL, Streamed(api, TABLE).insert)

    def rows(self) -> List[Dict[str, Any]]:
        answer = self.warehouse.rows.read("esteira.request_log")
        found = [dict(zip((field["name"] for field in answer.fields), row)) for row in answer.rows]
        return sorted(found, key=lambda row: int(row["request_id"]))
