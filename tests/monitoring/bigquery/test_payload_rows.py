"""Bodies as rows: the same as the SQL that splits them on one machine."""

import json
from pathlib import Path
from typing import Any, List

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
        # Numbers are written as the shortest text of the same FLOAT64, and beyond it as they came.
        ('{"instances":[1e400,-1e400,1.50,1E5,-0,-0.0]}', ["1e400", "-1e400", "1.5", "100000.0", "0", "-0.0"]),
        ('{"instances":[0.1e-4,1e-7,1e16,1.5e21]}', ["0.00001", "1e-7", f"1{'0' * 16}.0", "1.5e21"]),
        ('{"instances":[18446744073709551616,NaN,-Infinity]}', ["18446744073709551616", "NaN", "-Infinity"]),
        # What a client wrote twice stays twice; where it decides what the rows are, nobody can say.
        ('{"instances":[{"a":1,"a":2}]}', ['{"a":1,"a":2}']),
        ('{"instances":[],"instances":[1]}', ['{"instances":[],"instances":[1]}']),
        ('{"inputs":{"a":[1],"a":[2]}}', ['{"inputs":{"a":[1],"a":[2]}}']),
        ('{"instances":[1],"parameters":{"a":1,"a":2}}', ["1"]),
        # Half a surrogate pair is no text.
        ('{"instances":["\\ud800"]}', ['{"instances":["\\ud800"]}']),
        ('{"instances":[1],"parameters":"\\udc00"}', ['{"instances":[1],"parameters":"\\udc00"}']),
        ('{"instances":["\\ud83c\\udf89","\\u001f\\u0000\\u00e7\\/"]}', ['"🎉"', '"\\u001F\\u0000ç/"']),
        (' {"instances" : [ {"b" : 1 , "a":[ ]} ] }\n', ['{"b":1,"a":[]}']),
    ],
)
def test_a_body_is_split_as_on_one_machine(body: str, rows: List[str]) -> None:
    assert rows_of(body.encode("utf-8"), INSTANCES, INPUTS) == rows
    assert split_by_duckdb([body]) == [rows]


def split_by_duckdb(bodies: List[str]) -> Any:
    connection = duckdb.connect()
    connection.execute(SQL)
    found = "SELECT rows_of(body, '$.instances', '$.inputs') FROM (SELECT unnest($bodies) AS body)"
    return [row for (row,) in connection.execute(found, {"bodies": bodies}).fetchall()]


class Pairs(dict):  # type: ignore[type-arg]
    """An object of JSON, in which a name may come twice."""

    def __init__(self, pairs: Any) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def items(self) -> Any:
        return self._pairs


NAMES = st.one_of(st.sampled_from(["instances", "inputs", "a", "b/~c", "*", "$"]), st.text(max_size=3))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=6))
VALUES = st.recursive(
    LEAVES,
    lambda values: st.one_of(
        st.lists(values, max_size=3), st.lists(st.tuples(NAMES, values), min_size=1, max_size=3).map(Pairs)
    ),
    max_leaves=10,
)
ROWS = st.lists(VALUES, max_size=3)
COLUMNS = st.integers(0, 2).flatmap(
    lambda size: st.lists(st.tuples(NAMES, st.lists(VALUES, min_size=size, max_size=size)), min_size=1, max_size=3)
)
BODIES = st.one_of(
    VALUES,
    st.fixed_dictionaries({"instances": st.one_of(ROWS, VALUES), "parameters": VALUES}),
    st.fixed_dictionaries({"inputs": st.one_of(ROWS, COLUMNS.map(Pairs), VALUES)}),
)


@settings(max_examples=60, deadline=None)
@given(bodies=st.lists(BODIES, min_size=1, max_size=10), ascii_only=st.booleans())
def test_any_body_is_split_as_on_one_machine(bodies: List[Any], ascii_only: bool) -> None:
    written = [written_out(body, ascii_only) for body in bodies]
    assert [rows_of(body.encode("utf-8"), INSTANCES, INPUTS) for body in written] == split_by_duckdb(written)


def written_out(body: Any, ascii_only: bool) -> str:
    text = json.dumps(body, ensure_ascii=ascii_only)
    # Half a surrogate pair can only be written as an escape.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
