"""Bodies as rows: the same as the SQL that splits them on one machine."""

from pathlib import Path
from typing import List

import duckdb
import pytest

from esteira.monitoring.bigquery.payload_rows import INPUTS, INSTANCES, rows_of
from esteira.monitoring.warehouse import batch

SQL = (Path(batch.__file__).parent / "split_payloads.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ('{"instances":[{"text":"a"},{"text":"ação"}]}', ['{"text":"a"}', '{"text":"ação"}']),
        ('{"instances":["a",null,[1,2]]}', ['"a"', "null", "[1,2]"]),
        ('{"instances":[]}', []),
        ('{"inputs":["a","b"]}', ['"a"', '"b"']),
        ('{"inputs":{"text":["a","b"],"count":[1,2]}}', ['{"text":"a","count":1}', '{"text":"b","count":2}']),
        ('{"inputs":{"text":["a","b"],"count":[1]}}', ['{"inputs":{"text":["a","b"],"count":[1]}}']),
        ('{"inputs":{"text":"a"}}', ['{"inputs":{"text":"a"}}']),
        ('{"other":1}', ['{"other":1}']),
        ("[1,2]", ["[1,2]"]),
        ("no JSON", ["no JSON"]),
        ("", [""]),
    ],
)
def test_a_body_is_split_as_on_one_machine(body: str, rows: List[str]) -> None:
    assert rows_of(body.encode("utf-8"), INSTANCES, INPUTS) == rows
    connection = duckdb.connect()
    connection.execute(SQL)
    assert connection.execute("SELECT rows_of(?, '$.instances', '$.inputs')", [body]).fetchone() == (rows,)
