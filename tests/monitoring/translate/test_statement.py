from typing import Any, List

import duckdb
import pytest

from esteira.errors import WarehouseError
from esteira.monitoring.translate.statement import translate


def answer(expression: str) -> Any:
    """Return what DuckDB answers to an expression of BigQuery's, in a session far from UTC."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'America/Sao_Paulo'")
    return connection.execute(translate(f"SELECT {expression}")).fetchall()[0][0]


def parsed(text: str) -> str:
    return "SAFE.PARSE_JSON('" + text.replace("\\", "\\\\").replace("'", "\\'") + "', wide_number_mode => 'round')"


@pytest.mark.parametrize(
    "text",
    [
        *("{", "", "nope", "[1,]", '{"a": 1 , }', "NaN", "[-Infinity]", "[nan]", '"\\ud800"', "01", "[1] 2"),
        *("1e400", "[0.5, -1E+400]", '{"a": 1.8e308}', "1" + "0" * 309, "-" + "9" * 250 + "e99"),
        *("[" * 501 + "]" * 501, '{"a":' * 501 + "1" + "}" * 501, "[" * 100_000 + "]" * 100_000),
        "[" + "[1]," * 600 + "[" * 500 + "]" * 500 + "]",
    ],
)
def test_what_is_no_json_is_null(text: str) -> None:
    assert answer(parsed(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        *('",]"', '"nan, inf ,}"', "[1, 2]", "null", ' {"a": "\\u00e9\\ud83d\\ude00"} ', "1e3"),
        *("1.7e308", "1e-400", "0e999", '["1e400"]', "1" + "0" * 308, "0." + "3" * 400, "1e0000000010"),
        *("[" * 500 + "]" * 500, "[" + "[1]," * 600 + "[2]]", '"' + "[" * 600 + '"', '["' + '[\\"' * 600 + '"]'),
    ],
)
def test_what_is_json_stays_what_it_is(text: str) -> None:
    assert answer(parsed(text)) == text


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"SAFE.STRING({parsed('1')})", None),
        (f"SAFE.STRING({parsed(chr(34) + 'a' + chr(34))})", "a"),
        (f"SAFE.FLOAT64({parsed(chr(34) + '1' + chr(34))})", None),
        (f"SAFE.FLOAT64({parsed('1e999')})", None),
        (f"SAFE.FLOAT64({parsed('true')})", None),
        (f"SAFE.INT64({parsed('2.0')})", 2),
        (f"SAFE.INT64({parsed('2.5')})", None),
        (f"SAFE.INT64({parsed('9007199254740993')})", 9007199254740993),
        (f"SAFE.BOOL({parsed('false')})", False),
        (f"SAFE.BOOL({parsed('0')})", None),
        (f"JSON_TYPE({parsed('[1]')})", "array"),
        (f"JSON_TYPE({parsed('1')})", "number"),
        (f"JSON_VALUE({parsed('[{}, 2]')}, '$[0]')", None),
        (f"JSON_VALUE({parsed('[{}, 2]')}, '$[1]')", "2"),
        (f"JSON_QUERY_ARRAY({parsed('[{}, 2]')}, '$')", ["{}", "2"]),
        (f"JSON_QUERY_ARRAY({parsed('{}')}, '$')", None),
        ("SAFE_CAST('1_000' AS FLOAT64)", None),
        ("SAFE_CAST(' -1.5e3' AS FLOAT64)", -1500.0),
        ("[1, 2][SAFE_OFFSET(0)]", 1),
        ("[1, 2][SAFE_OFFSET(-1)]", None),
        ("[1, 2][SAFE_ORDINAL(2)]", 2),
        ("[1, 2][SAFE_ORDINAL(0)]", None),
        ("3 IN UNNEST([1, NULL])", None),
        ("1 IN UNNEST([1, NULL])", True),
        ("1 IN UNNEST(CAST(NULL AS ARRAY<INT64>))", False),
        ("CONCAT('a', CAST(NULL AS STRING))", None),
        ("CAST(4611686018427387904123 AS NUMERIC)", 4611686018427387904123),
        ("(SELECT MAX(x) FROM UNNEST([1, 3, 2]) AS x)", 3),
        ("(SELECT i FROM UNNEST([1, 3, 3]) AS x WITH OFFSET AS i ORDER BY x DESC, i LIMIT 1)", 1),
        ("(SELECT COUNTIF(x > 1) FROM UNNEST([1, 3, 2]) AS x)", 2),
        ("ARRAY(SELECT x + i FROM UNNEST([5, 7]) AS x WITH OFFSET AS i ORDER BY i)", None),
        ("ARRAY(SELECT x + 1 FROM UNNEST([5, 7]) AS x WITH OFFSET AS i ORDER BY i)", [6, 8]),
    ],
)
def test_an_expression_means_what_it_means_in_bigquery(expression: str, expected: Any) -> None:
    if expression.startswith("ARRAY(SELECT x + i"):
        with pytest.raises(WarehouseError):
            answer(expression)
        return
    assert answer(expression) == expected


def test_a_day_is_utcs() -> None:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'America/Sao_Paulo'; CREATE TABLE t (time TIMESTAMPTZ)")
    connection.execute("INSERT INTO t VALUES ('2026-01-02 00:30:00+00')")
    assert str(connection.execute(translate("SELECT DATE(time) FROM `t`")).fetchall()[0][0]) == "2026-01-02"


def test_lists_of_any_length_are_unnested_with_their_places() -> None:
    connection = duckdb.connect()
    rows_of_t = "(1, ['a']), (2, ['b', 'c']), (3, []), (4, NULL)"
    connection.execute(f"CREATE TABLE t AS SELECT * FROM (VALUES {rows_of_t}) t(n, l)")
    sql = "SELECT n, x, i FROM `t` AS t CROSS JOIN UNNEST(t.l) AS x WITH OFFSET AS i ORDER BY n, i"
    rows: List[Any] = connection.execute(translate(sql)).fetchall()
    assert rows == [(1, "a", 0), (2, "b", 0), (2, "c", 1)]


def test_a_project_is_left_out() -> None:
    assert translate("SELECT 1 AS x FROM `my-project.esteira.requests`") == 'SELECT 1 AS x FROM "esteira"."requests"'


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT PARSE_JSON(x) FROM t",
        "SELECT SAFE.PARSE_JSON(x) FROM t",
        "SELECT JSON_KEYS(x) FROM t",
        "SELECT a[OFFSET(0)] FROM t",
        "SELECT SAFE_CAST(x AS INT64) FROM t",
        "SELECT 1 / x FROM t",
        "SELECT x FROM t LEFT JOIN UNNEST(a) AS x",
        "SELECT FORMAT('%d', 1)",
        "SELECT REGEXP_CONTAINS(a, 'x') FROM t",
    ],
)
def test_what_no_translation_is_known_of_is_refused(sql: str) -> None:
    with pytest.raises(WarehouseError, match="no translation to DuckDB's SQL is known of this"):
        translate(sql)


def test_what_is_no_sql_is_told() -> None:
    with pytest.raises(WarehouseError, match="this is no SQL of BigQuery's"):
        translate("SELECT FROM WHERE (")
    with pytest.raises(WarehouseError, match="2 statements; expected one"):
        translate("SELECT 1; SELECT 2")
