import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esteira.serving.refusal import Refusal
from esteira.serving.request import load_json, parse_request
from esteira.serving.signature import Signature, TensorSpec

TEXT = Signature(
    "serving_default",
    inputs=(TensorSpec("text", "DT_STRING", (None,)),),
    outputs=(TensorSpec("label", "DT_STRING", (None,)),),
)
POINTS = Signature(
    "points",
    inputs=(
        TensorSpec("flag", "DT_BOOL", (None,)),
        TensorSpec("point", "DT_FLOAT", (None, 2)),
        TensorSpec("signal", "DT_INT32", (None, None)),
    ),
    outputs=(TensorSpec("sum", "DT_FLOAT", (None,)),),
)
SCALAR = Signature("scalar", (TensorSpec("x", "DT_DOUBLE", ()),), (TensorSpec("y", "DT_DOUBLE", ()),))
FREE = Signature("free", (TensorSpec("x", "DT_INT64", None),), (TensorSpec("y", "DT_INT64", None),))
ODD = Signature("odd", (TensorSpec("x", "DT_COMPLEX64", (None,)),), (TensorSpec("y", "DT_INT64", (None,)),))
SIGNATURES = {signature.name: signature for signature in (TEXT, POINTS, SCALAR, FREE, ODD)}
MAX_ROWS = 5


def parse(value: Any) -> Any:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return parse_request(body, SIGNATURES, MAX_ROWS)


def point(**changes: Any) -> Any:
    return {"flag": True, "point": [1, 2.5], "signal": [1, 2, 3], **changes}


def test_rows_of_a_single_input_may_be_plain_or_named() -> None:
    for rows in (
        ["É", ""],
        [{"text": "É"}, {"text": ""}],
        [{"b64": "w4k="}, {"b64": ""}],
        [{"b64": "w4k"}, ""],
    ):
        request = parse({"instances": rows})
        assert request.arrays["text"].tolist() == ["É".encode(), b""]
        assert (request.rows, request.by_row, request.signature) == (2, True, TEXT)


def test_columns_of_a_single_input_may_be_plain_or_named() -> None:
    for inputs in (["a", "b"], {"text": ["a", {"b64": "Yg=="}]}):
        request = parse({"inputs": inputs})
        assert request.arrays["text"].tolist() == [b"a", b"b"]
        assert (request.rows, request.by_row) == (2, False)


def test_rows_become_columns_of_the_signatures_dtypes() -> None:
    request = parse({"signature_name": "points", "instances": [point(), point(flag=False, signal=[4, 5, 6])]})
    assert {name: (array.dtype.name, array.tolist()) for name, array in request.arrays.items()} == {
        "flag": ("bool", [True, False]),
        "point": ("float32", [[1.0, 2.5], [1.0, 2.5]]),
        "signal": ("int32", [[1, 2, 3], [4, 5, 6]]),
    }


def test_an_empty_signature_name_means_the_default() -> None:
    assert parse({"signature_name": "", "instances": ["a"]}).signature == TEXT


def test_the_parameters_of_vertex_ai_may_name_the_signature_and_mean_nothing_else() -> None:
    for parameters in (None, {}):
        assert parse({"instances": ["a"], "parameters": parameters}).signature == TEXT
    named = parse({"instances": [point()], "parameters": {"signature_name": "points"}})
    assert named.signature == POINTS
    both = {"instances": ["a"], "signature_name": "", "parameters": {"signature_name": "points"}}
    assert parse(both).signature == TEXT


def test_a_scalar_and_a_tensor_of_open_rank_are_read_in_columns() -> None:
    scalar = parse({"signature_name": "scalar", "inputs": 2})
    assert (scalar.arrays["x"].shape, scalar.rows) == ((), None)
    free = parse({"signature_name": "free", "inputs": [[[1], [2]]]})
    assert (free.arrays["x"].shape, free.rows) == ((1, 2, 1), 1)


def test_texts_with_colons_and_names_are_read_as_they_are() -> None:
    texts = ['a: b ": c', '{"text": 1, "text": 2}', "::::"]
    assert parse({"instances": [{"text": text} for text in texts]}).arrays["text"].tolist() == [
        text.encode() for text in texts
    ]
    assert parse({"inputs": {"text": texts}}).rows == 3


def test_columns_of_unequal_length_have_no_common_rows() -> None:
    inputs = {"flag": [True], "point": [[1, 2], [3, 4]], "signal": [[1]]}
    assert parse({"signature_name": "points", "inputs": inputs}).rows is None


def test_numbers_that_json_does_not_know_are_floats_as_in_tensorflow_serving() -> None:
    head = b'{"signature_name": "points", "inputs": {"flag": [true], "signal": [[]], '
    body = head + b'"point": [[NaN, -Infinity]]}}'
    assert np.array_equal(parse(body).arrays["point"], [[np.nan, -np.inf]], equal_nan=True)


BAD_BODIES = [
    (b"", "body: expected JSON: Expecting value: line 1 column 1 (char 0)"),
    (b'{"instances": ["a"}', "body: expected JSON: Expecting ',' delimiter: line 1 column 19 (char 18)"),
    ('{"instances": ["é"]}'.encode("latin-1"), "body: expected UTF-8, got another byte at offset 16"),
    (
        b"\xef\xbb\xbf{}",
        "body: expected JSON: Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)",
    ),
    ([1], 'body: expected an object such as {"instances": [...]}, got a list'),
    (b"[" * 100_000, "body: expected fewer nested lists or objects"),
    ({}, "instances: missing; expected instances (rows) or inputs (columns)"),
    ({"instances": ["a"], "inputs": ["a"]}, "inputs: expected either instances or inputs, got both"),
    ({"instances": ["a"], "parameters": []}, "parameters: expected an object, got a list"),
    ({"instance": ["a"]}, "instance: unknown field; expected one of instances, inputs, signature_name, parameters"),
    ({"signature_name": 1, "instances": ["a"]}, "signature_name: expected a string, got a number"),
    (
        {"signature_name": "x", "instances": ["a"]},
        'signature_name: no signature "x"; the model has free, odd, points, scalar, serving_default',
    ),
    ({"instances": "a"}, "instances: expected a list, got a string"),
    ({"instances": {"text": "a"}}, "instances: expected a list, got an object"),
    ({"instances": None}, "instances: expected a list, got null"),
    ({"instances": []}, "instances: expected at least one row, got an empty list"),
    ({"instances": ["a", 3]}, "instances[1]: expected a string, got a number"),
    ({"instances": [{"text": "a"}, {"text": 3}]}, "instances[1].text: expected a string, got a number"),
    (b'{"instances": [{"text": NaN}]}', "instances[0].text: expected a string, got a number"),
    ({"instances": [{"text": None}]}, "instances[0].text: expected a string, got null"),
    ({"instances": [{"text": True}]}, "instances[0].text: expected a string, got a boolean"),
    ({"instances": [{"text": ["a"]}]}, "instances[0].text: expected a string, got a list"),
    ({"instances": [{"text": {"a": 1}}]}, "instances[0].text: expected a string, got an object"),
    (
        {"instances": [{"text": "a"}, "a"]},
        "instances[1]: expected an object as in instances[0], got a string",
    ),
    (
        {"instances": ["a", {"text": "a"}]},
        "instances[1]: expected a string as in instances[0], got an object",
    ),
    ({"instances": [{"txt": "a"}]}, "instances[0].txt: no such input; serving_default takes text"),
    ({"instances": [{"text": "a"}, {}]}, "instances[1].text: missing; serving_default takes text"),
    (
        b'{"instances": [{"text": "\\ud83c"}]}',
        "instances[0].text: expected text that UTF-8 can write, got half a surrogate pair",
    ),
    ({"instances": [{"b64": "é"}]}, 'instances[0]: expected base64 in "b64", got other characters'),
    ({"inputs": "a"}, "inputs: expected a list of strings, got a string"),
    ({"inputs": {"b64": "YQ=="}}, "inputs: expected a list of strings, got binary data"),
    ({"inputs": {"text": ["a", 1]}}, "inputs.text[1]: expected a string, got a number"),
    ({"inputs": {"text": ["a"], "more": ["b"]}}, "inputs.more: no such input; serving_default takes text"),
    ({"inputs": {}}, "inputs.text: missing; serving_default takes text"),
    ({"inputs": []}, "inputs: expected at least one row, got none"),
    ({"inputs": {"text": []}}, "inputs: expected at least one row, got none"),
    (b'{"instances": ["a"], "instances": ["b"]}', "instances: is there 2 times in one object; expected once"),
    (
        b'{"instances": [{"text": "a: b"}, {"text": "a", "te\\u0078t" : "b"}]}',
        "text: is there 2 times in one object; expected once",
    ),
    (b'{"inputs": {"text": ["a"], "text": ["b"]}}', "text: is there 2 times in one object; expected once"),
    (
        b'{"instances": ["a"], "parameters": {"signature_name": "", "signature_name": ""}}',
        "signature_name: is there 2 times in one object; expected once",
    ),
    (b'{"instances": [{"b64": "YQ==", "b64": "Yg=="}]}', "b64: is there 2 times in one object; expected once"),
    (
        {"instances": ["a"], "parameters": {"temperature": 0.5}},
        "parameters.temperature: unknown field; expected none but signature_name",
    ),
    (
        b'{"instances": ["a"], "parameters": {"\\ud83c": 1}}',
        "parameters.\ud83c: unknown field; expected none but signature_name",
    ),
    (
        b'{"instances": ["a"], "signature_name": "", "parameters": {"signature_name": "\\ud83c"}}',
        'signature_name: no signature "\ud83c"; the model has free, odd, points, scalar, serving_default',
    ),
]

BAD_POINTS = [
    (["a"], "instances[0]: expected an object with flag, point, signal, got a string"),
    ([point(flag=1)], "instances[0].flag: expected true or false, got a number"),
    ([point(point=[1])], "instances[0].point: expected a list of length 2, got 1"),
    ([point(point=1)], "instances[0].point: expected a list of numbers, got a number"),
    ([point(point=[1, [2]])], "instances[0].point[1]: expected a number, got a list"),
    ([point(point=[1, True])], "instances[0].point[1]: expected a number, got a boolean"),
    (
        [point(point=[1, 1e39])],
        "instances[0].point[1]: expected a number that fits float32, got one beyond it",
    ),
    (
        [point(point=[1, 10**400])],
        "instances[0].point[1]: expected a number that fits float32, got one beyond it",
    ),
    ([point(signal=[1.5])], "instances[0].signal[0]: expected a whole number, got 1.5"),
    ([point(signal=["1"])], "instances[0].signal[0]: expected a whole number, got a string"),
    ([point(signal=[2**31])], "instances[0].signal[0]: expected a number that fits int32, got one beyond it"),
    (
        [point(), point(signal=[1, 2])],
        "instances[1].signal: expected a list of length 3, as many as the first, got 2",
    ),
]


@pytest.mark.parametrize(
    ("value", "message"),
    [*BAD_BODIES, *(({"signature_name": "points", "instances": rows}, text) for rows, text in BAD_POINTS)],
)
def test_a_bad_body_is_refused_with_the_field_at_fault(value: Any, message: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(value)
    assert (refused.value.status, refused.value.message) == (400, message)


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("scalar", {"instances": [1]}, "instances: x has no dimension for rows; use inputs"),
        (
            "free",
            {"inputs": [[1], [2, 3]]},
            "inputs[1]: expected a list of length 1, as many as the first, got 2",
        ),
        ("free", {"inputs": [[1], 2]}, "inputs[1]: expected a list of whole numbers, got a number"),
        ("odd", {"inputs": [1]}, "inputs: the model wants DT_COMPLEX64, which JSON cannot carry"),
        (
            "free",
            {"inputs": json.loads("[" * 40 + "]" * 40)},
            "inputs: expected at most 32 nested lists, got 40",
        ),
    ],
)
def test_shapes_and_dtypes_that_do_not_fit_are_refused(name: str, fields: Any, message: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse({"signature_name": name, **fields})
    assert (refused.value.status, refused.value.message) == (400, message)


def test_too_many_rows_are_too_large() -> None:
    for field in ("instances", "inputs"):
        with pytest.raises(Refusal) as refused:
            parse({field: ["a"] * (MAX_ROWS + 1)})
        assert refused.value.status == 413
        assert refused.value.message == f"{field}: {MAX_ROWS + 1} rows; expected at most {MAX_ROWS} in one request"


def test_too_many_rows_are_not_read_first() -> None:
    with pytest.raises(Refusal, match="^instances: 6 rows; expected at most 5 in one request$"):
        parse({"instances": [1] * (MAX_ROWS + 1)})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(VALUES, st.booleans())
def test_a_body_is_read_as_python_reads_json(value: Any, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        expected = repr(json.loads(body.decode("utf-8")))
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            load_json(body)
        return
    assert repr(load_json(body)) == expected
