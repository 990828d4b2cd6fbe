"""Bodies of both forms are split into rows by DuckDB, and what fits neither is left as it is."""

import json
from pathlib import Path
from typing import List

import pytest

from esteira.serving.answer_log import Exchange
from tests.monitoring.logged import DEPLOYED, logged, opened_log, place_in


def payloads(folder: Path, request: bytes, response: bytes = b"{}") -> List[List[str]]:
    place = place_in(folder)
    log = opened_log(place)
    log.keep([Exchange(DEPLOYED, 1, request, response)])
    log.close()
    (row,) = logged(place)
    return [row["request_payload"], row["response_payload"]]


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ('{"instances": [{"t": "a", "n": 0.1}, null, [[1, "2"]]]}', ['{"t":"a","n":0.1}', "null", '[[1,"2"]]']),
        ('{"signature_name": "x", "parameters": {"a": 1}, "instances": [1.5]}', ["1.5"]),
        ('{"instances": ["\\u00e9 \\ud83c\\udf89 \\u0000 \\""]}', ['"é 🎉 \\u0000 \\""']),
        ('{"inputs": ["a", "b"]}', ['"a"', '"b"']),
        (
            '{"inputs": {"a/b~\\"c": [1, null], "t": ["x", {"b64": "eA=="}]}}',
            ['{"a/b~\\"c":1,"t":"x"}', '{"a/b~\\"c":null,"t":{"b64":"eA=="}}'],
        ),
        ('{"inputs": {"n": [NaN, -Infinity, 123456789012]}}', ['{"n":NaN}', '{"n":-Infinity}', '{"n":123456789012}']),
        ('{"instances": []}', []),
    ],
)  # fmt: skip
def test_bodies_are_split_into_rows(tmp_path: Path, body: str, rows: List[str]) -> None:
    assert payloads(tmp_path, body.encode())[0] == rows


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "null",
        "[1]",
        "{}",
        '{"instances": {"text": "a"}}',
        '{"inputs": "a"}',
        '{"inputs": {"b64": "eA=="}}',
        '{"inputs": {}}',
        '{"inputs": {"a": [1, 2], "b": [3]}}',
        '{"inputs": {"a": [1, 2], "b": 3}}',
        '{"instances": ["\\ud800"]}',
        "[" * 5000,
    ],
)
def test_what_does_not_fit_is_one_element_as_it_is(tmp_path: Path, body: str) -> None:
    assert payloads(tmp_path, body.encode(), body.encode()) == [[body], [body]]


def test_bytes_that_are_no_text_are_written_out(tmp_path: Path) -> None:
    assert payloads(tmp_path, b'\xff"', b"\x80") == [['\\xff"'], ["\\x80"]]


def test_predictions_and_outputs_are_split_alike(tmp_path: Path) -> None:
    rows = ['{"label":"a","p":[0.25,0.75]}', '{"label":"b","p":[1.0,0.0]}']
    (tmp_path / "columns").mkdir()
    by_row = b'{"predictions": [{"label": "a", "p": [0.25, 0.75]}, {"label": "b", "p": [1.0, 0.0]}], "model": "m"}'
    by_column = b'{"outputs": {"label": ["a", "b"], "p": [[0.25, 0.75], [1.0, 0.0]]}}'
    assert payloads(tmp_path, b"{}", by_row)[1] == rows
    assert payloads(tmp_path / "columns", b"{}", by_column)[1] == rows


def test_a_large_request_by_columns_takes_memory_by_its_size(tmp_path: Path) -> None:
    count = 20_000
    body = json.dumps({"inputs": {"text": ["a text of a film"] * count, "n": list(range(count))}}).encode()
    rows = payloads(tmp_path, body)[0]
    assert (len(rows), rows[-1]) == (count, '{"text":"a text of a film","n":19999}')
