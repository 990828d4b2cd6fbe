"""The request log in BigQuery, over its REST API.

https://cloud.google.com/bigquery/docs/reference/rest
"""

import json
from contextlib import contextmanager
from typing import Any, Iterable, Iterator, List, Mapping, Optional

from esteira.errors import WarehouseError
from esteira.google.api import Api, Json
from esteira.google.refusals import NotFoundError, RefusedError
from esteira.monitoring.bigquery.access import access_error, is_denied
from esteira.monitoring.bigquery.jobs import SERVICE, Jobs
from esteira.monitoring.bigquery.refusal import place_in
from esteira.monitoring.bigquery.values import read_row, wire_parameters
from esteira.monitoring.engine import Parameters, RecentRowsError, Row
from esteira.monitoring.warehouse.tables import AI_PLATFORM, read_schema, split_name
from esteira.settings import Settings

# What BigQuery answers where a statement, or what it names, is at fault; the rest are errors of access.
FAULTY = (400, 404, 409)
# As in: UPDATE or DELETE statement over table … would affect rows in the streaming buffer, which is not supported
STREAMED = "streaming buffer"


class BigQuery:
    """The dataset of the chosen environment. An Engine, see esteira/monitoring/engine.py."""

    def __init__(self, settings: Settings, api: Api) -> None:
        place = settings.environment
        self.dataset = f"{place.project}.{place.dataset}"
        self._api = api
        self._settings = settings
        self._project = place.project
        self._own = place.dataset
        self._root, self._ai_platform = settings.root, settings.log.ai_platform
        self._region = place.region
        self._jobs = Jobs(api, place.region)
        self._setup = f"make cloud-apply ENV={settings.selected}"

    def query(self, what: str, sql: str, parameters: Optional[Parameters] = None) -> List[Row]:
        """Run one statement to its end and return its rows, as the Engine does.

        Raises WarehouseError with BigQuery's message and the place in the statement; RecentRowsError; GoogleError, as
        for a role that is missing, where the statement is not at fault.
        """
        with self._telling(what, sql):
            job = self._jobs.start(what, {"query": query_of(sql, parameters)})
            fields, rows = self._jobs.results(what, job)
            return [read_row(fields, row) for row in rows]

    def columns(self, table: str) -> List[str]:
        dataset, name = split_name(table, self._own)
        path = f"projects/{self._project}/datasets/{dataset}/tables/{name}"
        what = f"read the columns of {dataset}.{name}"
        with self._telling(what, "SELECT"):
            try:
                found = self._api.call(what, SERVICE, "GET", path)
            except NotFoundError:
                return []
        return [str(column["name"]) for column in (found.get("schema") or {}).get("fields", [])]

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Append rows by one job, which writes all of them or none, and return how many.

        The table of AI Platform's form, which no deploy makes, is made if it is not there; its dataset is not.
        https://cloud.google.com/bigquery/docs/batch-loading-data
        """
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        if not lines:
            return 0
        dataset, name = split_name(table, self._own)
        what = f"write {len(lines):,} rows into {self._project}.{dataset}.{name}"
        load = {
            "destinationTable": {"projectId": self._project, "datasetId": dataset, "tableId": name},
            "sourceFormat": "NEWLINE_DELIMITED_JSON",
            "writeDisposition": "WRITE_APPEND",
            "createDisposition": "CREATE_NEVER",
        }
        if table == self._ai_platform and not self.columns(table):
            load.update(createDisposition="CREATE_IF_NEEDED", schema={"fields": read_schema(self._root, AI_PLATFORM)})
        with self._telling(what, "", dataset):
            job = self._jobs.start_load(what, {"load": load}, "\n".join(lines).encode("utf-8"))
            self._jobs.wait(what, job)
        return len(lines)

    def scanned_bytes(self, sql: str, parameters: Optional[Parameters] = None) -> Optional[int]:
        """Return how many bytes a query would scan, as BigQuery itself estimates it."""
        what = "ask how much a query would scan"
        with self._telling(what, sql):
            job = self._jobs.dry_run(what, {"query": query_of(sql, parameters)})
        return int(job["statistics"]["totalBytesProcessed"])

    @contextmanager
    def _telling(self, what: str, sql: str, dataset: str = "") -> Iterator[None]:
        try:
            yield
        except RefusedError as error:
            if is_denied(error):
                raise access_error(self._settings, what, sql, error) from None
            if error.status not in FAULTY:
                raise
            if STREAMED in error.said:
                raise RecentRowsError(f"BigQuery: cannot {what} yet: {error.said}") from None
            place = place_in(sql, error.said)
            make = self._setup if dataset in ("", self._own) else self._make_dataset(dataset)
            setup = f"\nRun: {make}" if error.status == 404 else ""
            raise WarehouseError(f"BigQuery: cannot {what}: {error.said}{place}{setup}") from None

    def _make_dataset(self, dataset: str) -> str:
        return f"bq mk --dataset --location={self._region} {self._project}:{dataset}"


def query_of(sql: str, parameters: Optional[Parameters]) -> Json:
    """Return a query as a job has it."""
    configuration: Json = {"query": sql, "useLegacySql": False}
    if parameters:
        configuration.update(parameterMode="NAMED", queryParameters=wire_parameters(parameters))
    return configuration
