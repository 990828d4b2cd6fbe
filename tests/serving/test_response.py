import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esteira.serving.outputs import json_values
from esteira.serving.refusal import Refusal
from esteira.serving.response import encode_outputs

LABELS = np.array(["não ✓".encode(), b"\xff"], dtype=object)
SCORES = np.array([[0.9, 0.1], [0.25, np.nan]], dtype=np.float32)


def encode(outputs: Any, by_row: bool, rows: int) -> bytes:
    return encode_outputs(json_values(outputs), by_row, rows)


def test_several_outputs_in_rows_are_objects() -> None:
    content = encode({"label": LABELS, "score": SCORES}, by_row=True, rows=2)
    assert content == (
        b'{"predictions":[{"label":"n\\u00e3o \\u2713","score":[0.9,0.1]},{"label":{"b64":"/w=="},"score":[0.25,NaN]}]}'
    )


def test_several_outputs_in_columns_are_tensors_by_name() -> None:
    content = encode({"count": np.array([1, 2]), "flag": np.array([True, False])}, by_row=False, rows=2)
    assert content == b'{"outputs":{"count":[1,2],"flag":[true,false]}}'


def test_a_single_output_goes_without_its_name() -> None:
    outputs = {"label": LABELS[:1]}
    assert encode(outputs, by_row=True, rows=1) == b'{"predictions":["n\\u00e3o \\u2713"]}'
    assert encode(outputs, by_row=False, rows=1) == b'{"outputs":["n\\u00e3o \\u2713"]}'


def test_an_output_that_is_called_bytes_is_base64() -> None:
    outputs: Any = {"image_bytes": np.array([b"abc"], dtype=object)}
    assert json.loads(encode(outputs, by_row=True, rows=1)) == {"predictions": [{"b64": "YWJj"}]}


@pytest.mark.parametrize("total", [np.array(3.0), np.array(b"abc", dtype=object), np.array([3.0]), np.zeros((0, 2))])
def test_an_output_without_the_requests_rows_needs_columns(total: Any) -> None:
    outputs = {"label": LABELS, "total": total}
    with pytest.raises(Refusal, match="the output total has no row for each of the 2 instances; use inputs"):
        encode(outputs, by_row=True, rows=2)
    in_columns = json.loads(encode(outputs, by_row=False, rows=2))["outputs"]
    assert list(in_columns) == ["label", "total"]


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=20))
def test_floats_read_back_as_the_same_32_bits(values: Any) -> None:
    array = np.array(values, dtype=np.float32)
    content = encode({"score": array}, by_row=True, rows=len(values))
    assert np.array_equal(np.array(json.loads(content)["predictions"], dtype=np.float32), array)
