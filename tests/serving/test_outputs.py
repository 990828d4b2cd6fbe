"""What a request is answered does not tell which batch it was in."""

import base64
import json
from typing import Any, Dict, List, Tuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from esteira.serving.outputs import BatchOutputs, Outputs
from esteira.serving.response import encode_outputs

DTYPES = (np.bool_, np.int8, np.int64, np.uint64, np.float16, np.float32, np.float64)
NAMES = ("probabilities", "label", "é", "image_bytes", "a b")


@st.composite
def outputs_of_batches(draw: Any) -> Tuple[List[int], Dict[str, Any]]:
    """Return how many rows each request of a batch has, and the outputs for all of them."""
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=5))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    return sizes, {name: draw(arrays_with(sum(sizes))) for name in names}


@st.composite
def arrays_with(draw: Any, rows: int) -> Any:
    shape = (rows, *draw(arrays_of.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)))
    if draw(st.booleans()):
        return draw(arrays_of.arrays(np.object_, shape, elements=st.one_of(st.binary(), st.text().map(str.encode))))
    return draw(arrays_of.arrays(draw(st.sampled_from(DTYPES)), shape))


@given(outputs_of_batches(), st.booleans())
def test_an_answer_has_the_same_bytes_alone_and_from_a_batch(made: Any, by_row: bool) -> None:
    sizes, outputs = made
    batch, start = BatchOutputs(outputs), 0
    for rows in sizes:
        part = slice(start, start + rows)
        alone = {name: array[part] for name, array in outputs.items()}
        answer = encode_outputs(Outputs(batch, part).values(), by_row, rows)
        assert answer == encode_outputs(Outputs(BatchOutputs(alone)).values(), by_row, rows)
        assert json.dumps(json.loads(answer), separators=(",", ":")) == plain_answer(alone, by_row, rows)
        start += rows


def plain_answer(outputs: Dict[str, Any], by_row: bool, rows: int) -> str:
    """Return the answer, made an element at a time."""
    if by_row:
        named = [{name: plain(name, array[row]) for name, array in outputs.items()} for row in range(rows)]
        value: Any = {"predictions": [only(row) for row in named]}
    else:
        value = {"outputs": only({name: plain(name, array) for name, array in outputs.items()})}
    return json.dumps(value, separators=(",", ":"))


def only(values: Dict[str, Any]) -> Any:
    return next(iter(values.values())) if len(values) == 1 else values


def plain(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [plain(name, element) for element in value]
    if not isinstance(value, bytes):
        return float(str(value)) if isinstance(value, (np.float16, np.float32)) else value.item()
    try:
        return value.decode("utf-8") if not name.endswith("_bytes") else base64_of(value)
    except UnicodeDecodeError:
        return base64_of(value)


def base64_of(value: bytes) -> Any:
    return {"b64": base64.b64encode(value).decode("ascii")}
