"""The engine on BigQuery, against the stand-in: statements, values, what goes wrong, and what is done once."""

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from esteira.errors import GoogleError, WarehouseError
from esteira.google.api import Api
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import StandIn, served
from esteira.local.cloud.warehouse.jobs import Jobs
from esteira.local.cloud.warehouse.table_data import TableData
from esteira.local.cloud.warehouse.tables import Warehouse
from esteira.monitoring.bigquery.engine import BigQuery
from esteira.monitoring.bigquery.values import read_row
from esteira.monitoring.load_rows import load_rows
from esteira.settings import Environment, Settings

pytestmark = pytest.mark.loopback

COLUMNS: List[Dict[str, Any]] = [
    {"name": "text", "type": "STRING", "mode": "NULLABLE"},
    {"name": "count", "type": "INTEGER", "mode": "NULLABLE"},
    {"name": "number", "type": "NUMERIC", "mode": "NULLABLE"},
    {"name": "share", "type": "FLOAT", "mode": "NULLABLE"},
    {"name": "fits", "type": "BOOLEAN", "mode": "NULLABLE"},
    {"name": "at", "type": "TIMESTAMP", "mode": "NULLABLE"},
    {"name": "many", "type": "STRING", "mode": "REPEATED"},
]
ROWS: List[Dict[str, Any]] = [
    {
        "text": "ação “good”\n",
        "count": 3,
        "number": "18446744073709551615",
        "share": 0.25,
        "fits": True,
        "at": "2026-11-22T21:30:41.123456Z",
        "many": ["a", ""],
    },
    {"text": None, "count": -1, "number": "0.5"},
]
INSERT = "bigquery.jobs.insert"
RESULTS = "bigquery.jobs.getQueryResults"


class Place:
    """A dataset on the stand-in with a table, and the engine that asks it."""

    def __init__(self, settings: Settings) -> None:
        place = Environment(project="demo-project", region="europe-west1", bucket="demo-bucket", repository="images")
        self.warehouse = Warehouse("demo-project")
        self.jobs = Jobs(self.warehouse)
        self.stand_in = StandIn(handlers={**self.warehouse.handlers(), **self.jobs.handlers()}, paths=self.jobs.paths())
        self.stand_in.add(TableData(self.warehouse).handlers())
        self.warehouse.put_dataset("esteira")
        self.warehouse.put_table("esteira.things", {"schema": {"fields": COLUMNS}})
        self.settings = settings.copy(update={"selected": "dev", "environments": {"dev": place}})

    @property
    def engine(self) -> BigQuery:
        api = Api("demo-project", "europe-west1", self.stand_in.variables(), pause=lambda s: None, retry_s=20)
        return BigQuery(self.settings, api)


@pytest.fixture
def place(settings: Settings, tmp_path: Path) -> Iterator[Place]:
    found = Place(settings)
    with served(found.stand_in):
        yield found


def test_rows_that_were_written_come_back_as_python_has_them(place: Place) -> None:
    assert place.engine.insert("things", ROWS) == 2
    at = datetime.datetime(2026, 11, 22, 21, 30, 41, 123456, tzinfo=datetime.timezone.utc)
    first, second = place.engine.query("read", f"SELECT * FROM `{place.engine.dataset}.things` ORDER BY count DESC")
    assert first == {
        "text": "ação “good”\n",
        "count": 3,
        "number": Decimal(18446744073709551615),
        "share": 0.25,
        "fits": True,
        "at": at,
        "many": ["a", ""],
    }
    assert isinstance(first["number"], Decimal)
    nothing: Dict[str, Any] = {"share": None, "fits": None, "at": None, "many": []}
    assert second == {"text": None, "count": -1, "number": Decimal("0.5"), **nothing}


def test_records_come_back_as_dicts() -> None:
    letters = {"name": "letters", "type": "STRING", "mode": "REPEATED"}
    fields = [
        {"name": "both", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "one", "type": "INTEGER"}, letters]},
        {"name": "day", "type": "DATE"},
    ]
    row = {"f": [{"v": [{"v": {"f": [{"v": "1"}, {"v": [{"v": "a"}, {"v": "b"}]}]}}]}, {"v": "2026-11-22"}]}
    assert read_row(fields, row) == {
        "both": [{"one": 1, "letters": ["a", "b"]}],
        "day": datetime.date(2026, 11, 22),
    }


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('@given = "it\'s"', "it's"),
        ("@given + 1 = 42", 41),
        ("@given > 9223372036854775807", 2**64 - 1),
        ("'b' IN UNNEST(@given)", ["a", "b"]),
        ("2 IN UNNEST(@given)", [1, 2]),
        ("18446744073709551615 IN UNNEST(@given)", [1, 2**64 - 1]),
        ("NOT 'b' IN UNNEST(@given)", []),
    ],
)
def test_parameters_are_bound_by_name_and_of_their_type(place: Place, expression: str, value: Any) -> None:
    assert place.engine.query("ask", f"SELECT {expression} AS holds", {"given": value}) == [{"holds": True}]


def test_all_pages_of_a_long_answer_are_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esteira.monitoring.bigquery.jobs.PAGE_ROWS", 2)
    place.engine.insert("things", [{"count": number} for number in range(5)])
    rows = place.engine.query("read", f"SELECT count FROM `{place.engine.dataset}.things` ORDER BY count")
    assert [row["count"] for row in rows] == [0, 1, 2, 3, 4]
    assert len(place.stand_in.called(RESULTS)) == 3


def test_a_query_is_awaited_to_its_end(place: Place) -> None:
    place.jobs.looks = 3
    assert place.engine.query("ask", "SELECT 1 AS one") == [{"one": 1}]
    assert len(place.stand_in.called(RESULTS)) == 4


@pytest.mark.parametrize("kind", ["lost", "reset", "unavailable"])
def test_an_answer_that_is_lost_makes_no_second_job(place: Place, kind: Any) -> None:
    place.stand_in.faults.add(Fault(INSERT, kind))
    assert place.engine.insert("things", ROWS) == 2
    place.stand_in.faults.add(Fault(INSERT, kind))
    assert place.engine.query("count", f"SELECT COUNT(*) AS n FROM `{place.engine.dataset}.things`") == [{"n": 2}]
    assert len(place.jobs.known) == 2


def test_a_wrong_statement_is_told_with_its_place(place: Place) -> None:
    sql = f"SELECT\n  (text FROM `{place.engine.dataset}.things`"
    with pytest.raises(WarehouseError) as told:
        place.engine.query("make the view requests", sql)
    said, line, mark = str(told.value).splitlines()
    assert said.startswith("BigQuery: cannot make the view requests: Syntax error: ")
    assert line.strip() == sql.splitlines()[1].strip()
    assert mark.endswith("^")


def test_a_column_that_is_not_there_is_told(place: Place) -> None:
    with pytest.raises(WarehouseError, match='^BigQuery: cannot read: .*"labl" not found'):
        place.engine.query("read", f"SELECT labl FROM `{place.engine.dataset}.things`")


def test_a_table_that_is_not_there_is_told_with_what_makes_it(place: Place) -> None:
    with pytest.raises(WarehouseError) as told:
        place.engine.query("read", f"SELECT 1 AS x FROM `{place.engine.dataset}.nothing`")
    assert str(told.value) == (
        "BigQuery: cannot read: Not found: Table demo-project:esteira.nothing was not found in location europe-west1\n"
        "Run: make cloud-apply ENV=dev"
    )
    with pytest.raises(WarehouseError, match="Not found: Table demo-project:esteira.nothing"):
        place.engine.insert("nothing", [{"text": "a"}])


def test_rows_in_ai_platforms_form_make_the_table_that_is_set_for_them(place: Place, tmp_path: Path) -> None:
    place.settings = place.settings.copy(update={"log": place.settings.log.copy(update={"ai_platform": "old.log"})})
    row = {"model": "m", "model_version": "v1", "time": "2020-01-02T03:04:05Z", "raw_data": '{"instances": ["a"]}'}
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(WarehouseError) as told:
        load_rows(place.engine, file, "old.log")
    assert str(told.value) == (
        "BigQuery: cannot write 1 rows into demo-project.old.log: Not found: Dataset demo-project:old\n"
        "Run: bq mk --dataset --location=europe-west1 demo-project:old"
    )
    place.warehouse.put_dataset("old")
    for _ in range(2):
        assert load_rows(place.engine, file, "old.log") == ("old.log", 1)
    assert place.engine.columns("old.log")[:2] == ["model", "model_version"]
    rows = place.engine.query("read", "SELECT model, raw_data, groundtruth FROM `demo-project.old.log`")
    assert rows == [{"model": "m", "raw_data": '{"instances": ["a"]}', "groundtruth": None}] * 2


def test_whoever_may_start_no_job_is_told_the_role_and_the_command(place: Place) -> None:
    place.stand_in.faults.add(Fault(INSERT, "denied"))
    with pytest.raises(GoogleError) as told:
        place.engine.query("read", "SELECT 1 AS one")
    said, *then = str(told.value).splitlines()
    assert said.startswith("BigQuery: cannot read: Permission 'bigquery.jobs.create' denied on resource ")
    assert then == [
        "Whoever runs this lacks roles/bigquery.jobUser on the project demo-project. For a person, an owner runs: "
        "gcloud projects add-iam-policy-binding demo-project --member=user:NAME@EXAMPLE.COM "
        "--role=roles/bigquery.jobUser    For an account of Esteira: make cloud-apply ENV=dev"
    ]


@pytest.mark.parametrize(
    ("statement", "role"),
    [
        ("-- Purpose: none.\nSELECT * FROM x.y", "dataViewer"),
        ("-- Purpose: none.\nCREATE OR REPLACE VIEW x.z AS SELECT * FROM x.y", "dataEditor"),
        ("", "dataEditor"),
    ],
)
def test_whoever_may_not_see_or_change_the_dataset_is_told_the_role_and_the_command(
    place: Place, monkeypatch: pytest.MonkeyPatch, statement: str, role: str
) -> None:
    message = "Access Denied: Table demo-project:other.things: User does not have permission to query table"

    def refuse(job: Dict[str, Any], content: bytes) -> None:
        raise Refused(403, message, reason="accessDenied")

    monkeypatch.setattr(place.jobs, "run", refuse)
    with pytest.raises(GoogleError) as told:
        place.engine.query("act", statement) if statement else place.engine.insert("things", ROWS)
    what = "act" if statement else "write 2 rows into demo-project.esteira.things"
    assert str(told.value) == (
        f"BigQuery: cannot {what}: {message}\n"
        f"Whoever runs this lacks roles/bigquery.{role} on the dataset demo-project.other. For a person, an owner "
        f"runs: bq query --nouse_legacy_sql --location=europe-west1 'GRANT `roles/bigquery.{role}` ON SCHEMA "
        '`demo-project.other` TO "user:NAME@EXAMPLE.COM"\'    For an account of Esteira: make cloud-apply ENV=dev'
    )


def test_whoever_may_not_see_a_table_is_told_the_same(place: Place) -> None:
    place.stand_in.faults.add(Fault("bigquery.tables.get", "denied"))
    with pytest.raises(GoogleError, match="lacks roles/bigquery.dataViewer on the dataset demo-project.esteira"):
        place.engine.columns("things")


def test_one_wrong_row_keeps_all_from_being_written(place: Place) -> None:
    with pytest.raises(WarehouseError) as told:
        place.engine.insert("things", [{"text": "a"}, {"text": "b", "labl": "c"}])
    assert str(told.value) == (
        "BigQuery: cannot write 2 rows into demo-project.esteira.things: Error while reading data, error message: JSON "
        "table encountered too many errors, giving up. Rows: 2; errors: 1. Please look into the errors[] collection "
        "for more details.\n"
        "Error while reading data, error message: JSON processing encountered an error at row 2: no such field: labl."
    )
    assert place.engine.query("count", f"SELECT COUNT(*) AS n FROM `{place.engine.dataset}.things`") == [{"n": 0}]


def test_no_rows_need_no_job(place: Place) -> None:
    assert place.engine.insert("things", []) == 0
    assert place.stand_in.calls == []


def test_columns_of_a_table_and_of_none(place: Place) -> None:
    assert place.engine.columns("things") == [column["name"] for column in COLUMNS]
    assert place.engine.columns("nothing") == []


def test_a_view_is_made_and_read_and_made_anew(place: Place) -> None:
    view = f"`{place.engine.dataset}.texts`"
    place.engine.insert("things", ROWS)
    for column in ("text", "count"):
        sql = f"CREATE OR REPLACE VIEW {view} AS SELECT {column} FROM `{place.engine.dataset}.things`"
        assert place.engine.query("make the view texts", sql) == []
        assert place.engine.columns("texts") == [column]
    rows = place.engine.query("read", f"SELECT * FROM {view} ORDER BY count")
    assert rows == [{"count": -1}, {"count": 3}]


def test_rows_are_removed_by_a_statement(place: Place) -> None:
    place.engine.insert("things", ROWS)
    sql = f"DELETE FROM `{place.engine.dataset}.things` WHERE count IN UNNEST(@counts)"
    assert place.engine.query("remove", sql, {"counts": [3, 7]}) == []
    (job,) = [job for job in place.jobs.known.values() if "query" in job["configuration"]]
    assert job["statistics"]["query"]["numDmlAffectedRows"] == "1"


def test_numbers_are_as_exact_in_statements_that_write_as_in_those_that_read(place: Place) -> None:
    things = f"`{place.engine.dataset}.things`"
    place.engine.query("write", f"INSERT INTO {things} (text, number) VALUES ('a', CAST('{2**70}' AS NUMERIC))")
    place.engine.query("write", f"INSERT INTO {things} (text, number) SELECT 'b', number FROM {things}")
    place.engine.query("write", f"UPDATE {things} SET count = 1 WHERE number = CAST('{2**70}' AS NUMERIC)")
    rows = place.engine.query("read", f"SELECT text, number, count FROM {things} ORDER BY text")
    assert [(row["text"], row["number"], row["count"]) for row in rows] == [("a", 2**70, 1), ("b", 2**70, 1)]
    with pytest.raises(WarehouseError, match="no translation to DuckDB's SQL is known"):
        place.engine.query("write", f"UPDATE {things} SET text = FORMAT('%d', count) WHERE TRUE")


def test_bytes_are_those_of_the_columns_that_are_read_and_nothing_is_run(place: Place) -> None:
    place.engine.insert("things", ROWS)
    name = f"`{place.engine.dataset}.things`"
    assert place.engine.scanned_bytes(f"SELECT count FROM {name}") == 16
    assert place.engine.scanned_bytes(f"SELECT number, fits FROM {name}") == 2 * 16 + 1
    assert place.engine.scanned_bytes(f"SELECT many FROM {name}") == 2 + 1 + 2
    assert len(place.jobs.known) == 1
    with pytest.raises(WarehouseError, match="^BigQuery: cannot ask how much a query would scan: Syntax error"):
        place.engine.scanned_bytes("SELEC 1")
