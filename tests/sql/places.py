"""One request log in two places: on this machine in DuckDB, and in an emulator of BigQuery through Google's client."""

import json
import math
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence

from esteira.monitoring.engine import Parameters, Row
from esteira.monitoring.views import VIEWS, read_models, render_view
from esteira.monitoring.warehouse.database import Place, open_place
from tests.conftest import REPOSITORY
from tests.sql.emulator import PROJECT

TABLES = ("request_log", "deployed_models", "ground_truth")
AI_PLATFORM = "old.predictions"
OUR_COLUMNS = ("model_version", "release_id")


class Emulated:
    """An engine over google-cloud-bigquery; it stands for what a person does with that client."""

    dataset = f"{PROJECT}.esteira"

    def __init__(self, url: str) -> None:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import bigquery

        self.bigquery = bigquery
        self.client = bigquery.Client(
            project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": url}
        )

    def make_tables(self) -> None:
        """Make the tables again, empty."""
        for dataset in ("esteira", "old"):
            self.client.delete_dataset(dataset, delete_contents=True, not_found_ok=True)
            self.client.create_dataset(dataset)
        for table in TABLES:
            self.make_table(f"esteira.{table}", table)
        self.make_table(AI_PLATFORM, "ai_platform_log")

    def make_table(self, name: str, schema: str, left_out: Sequence[str] = ()) -> None:
        described = json.loads((REPOSITORY / "sql" / f"{schema}.json").read_text(encoding="utf-8"))
        described = [field for field in described if field["name"] not in left_out]
        fields = [self.bigquery.SchemaField.from_api_repr(field) for field in described]
        self.client.create_table(self.bigquery.Table(f"{PROJECT}.{name}", schema=fields))

    def query(self, what: str, sql: str, parameters: Optional[Parameters] = None) -> List[Row]:
        bound = [self.parameter(name, value) for name, value in (parameters or {}).items()]
        config = self.bigquery.QueryJobConfig(query_parameters=bound)
        return [dict(row) for row in self.client.query(sql, job_config=config).result()]

    def parameter(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return self.bigquery.ArrayQueryParameter(name, "STRING", value)
        return self.bigquery.ScalarQueryParameter(name, "STRING" if isinstance(value, str) else "INT64", value)

    def columns(self, table: str) -> List[str]:
        return [field.name for field in self.client.get_table(f"{PROJECT}.esteira.{table}").schema]

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> int:
        there = [dict(row) for row in rows]
        name = table if "." in table else f"esteira.{table}"
        for start in range(0, len(there), 500):
            errors = self.client.insert_rows_json(f"{PROJECT}.{name}", there[start : start + 500])
            assert errors == [], errors
        return len(there)

    def scanned_bytes(self, sql: str, parameters: Optional[Parameters] = None) -> Optional[int]:
        return None


@contextmanager
def both_places(folder: Path, emulated: Emulated) -> Iterator["Both"]:
    """Give both with empty tables."""
    emulated.make_tables()
    with open_place(Place(folder, REPOSITORY, ai_platform=AI_PLATFORM)) as warehouse:
        yield Both(warehouse, emulated)


class Both:
    """What is done to both, and what both answer."""

    def __init__(self, here: Any, there: Emulated) -> None:
        self.here, self.there = here, there

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for engine in (self.here, self.there):
            engine.insert(table, rows)

    def forget(self, table: str) -> None:
        """Delete all rows of a table."""
        for engine in (self.here, self.there):
            engine.query("forget", f"DELETE FROM `{engine.dataset}.{table}` WHERE TRUE")

    def keep_columns_of_vertex_ai(self) -> None:
        """Make the log anew with the columns alone that Vertex AI gives one that it makes."""
        for column in OUR_COLUMNS:
            self.here.run("drop a column", f"ALTER TABLE esteira.request_log DROP COLUMN {column}")
        self.there.client.delete_table(f"{self.there.dataset}.request_log")
        self.there.make_table("esteira.request_log", "request_log", OUR_COLUMNS)

    def make_views_once(self) -> None:
        if not self.here.columns("requests"):
            self.make_views()

    def make_views(self, with_ai_platform: bool = True) -> None:
        for engine in (self.here, self.there):
            models, log_columns = read_models(engine), engine.columns("request_log")
            project = engine.dataset.rpartition(".")[0]
            ai_platform = ".".join(filter(None, [project, AI_PLATFORM])) if with_ai_platform else ""
            for view in VIEWS:
                engine.query(view, render_view(view, engine.dataset, models, log_columns, ai_platform))

    def rows(self, sql: str, parameters: Optional[Parameters] = None) -> List[Row]:
        """Return what a query answers in both places, where {dataset} stands for the data set; they must be equal."""
        answers = [
            [same(row) for row in engine.query("ask", sql.replace("{dataset}", engine.dataset), parameters)]
            for engine in (self.here, self.there)
        ]
        here, there = answers
        assert len(here) == len(there), (here, there)
        for mine, theirs in zip(here, there):
            assert set(mine) == set(theirs)
            differing = {name: (mine[name], theirs[name]) for name in mine if not close(mine[name], theirs[name])}
            assert differing == {}, differing
        return here


def same(row: Row) -> Row:
    """Return a row in which both write the same: BigQuery has no null arrays, and its clients no one precision."""
    return {name: one_form(value) for name, value in row.items()}


def one_form(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value)
    return list(value) if isinstance(value, (list, tuple)) else value


def close(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, float) and isinstance(theirs, float):
        return math.isclose(mine, theirs, rel_tol=1e-12)
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(close, mine, theirs))
    return bool(mine == theirs) or (mine is None and theirs == []) or (mine == [] and theirs is None)


def logged(request_id: int, request: Sequence[str], response: Sequence[str], **other: Any) -> Dict[str, Any]:
    """Return a row of the request log."""
    row = {
        "endpoint": "projects/1/locations/europe-west1/endpoints/sentiment-dev",
        "deployed_model_id": "10",
        "logging_time": "2026-01-02T03:04:05.000006Z",
        "request_id": str(request_id),
        "request_payload": list(request),
        "response_payload": list(response),
    }
    return {**row, **other}


def deployed(model_id: str, signature: str, **other: Any) -> Dict[str, Any]:
    """Return a row of deployed_models."""
    row = {
        "endpoint": "projects/1/locations/europe-west1/endpoints/sentiment-dev",
        "deployed_model_id": model_id,
        "model_version": "1",
        "release_id": f"release-{model_id}",
        "labels": ["negative", "neutral", "positive"],
        "signature": signature,
        "deployed_time": "2026-01-01T00:00:00Z",
    }
    return {**row, **other}


def signature(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
    """Return a signature, of dtype and shape by name."""
    sides = [
        [{"name": name, "dtype": dtype, "shape": shape} for name, (dtype, shape) in side.items()]
        for side in (inputs, outputs)
    ]
    return json.dumps({"inputs": sides[0], "outputs": sides[1]})
