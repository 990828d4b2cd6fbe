"""Writing a model's outputs as the JSON that answers a :predict request."""

import json
from typing import Any, Dict, List, Optional

import orjson

from esteira.serving.outputs import Values
from esteira.serving.refusal import Refusal

# For what orjson writes in another way. It is kept: `json.dumps` would make another for each answer.
ENCODER = json.JSONEncoder(separators=(",", ":"))


def encode_json(value: Any) -> bytes:
    """Return compact JSON in ASCII; NaN and Infinity are written so, as TensorFlow Serving does."""
    try:
        content = orjson.dumps(value)
    except TypeError:
        return encode_any_json(value)
    # A null may stand for a NaN, which orjson does not write.
    return content if content.isascii() and b"null" not in content else encode_any_json(value)


def encode_any_json(value: Any) -> bytes:
    return ENCODER.encode(value).encode("ascii")


def encode_outputs(values: Values, by_row: bool, rows: Optional[int]) -> bytes:
    """Return {"predictions": ...}, a value or object a row, or {"outputs": ...}, a tensor a name.

    A single output goes without its name. Raises Refusal if an output has other rows than the request.
    """
    if by_row:
        check_rows(values, rows)
        return encode_json({"predictions": only_value(values) if len(values) == 1 else rows_of(values)})
    return encode_json({"outputs": only_value(values) if len(values) == 1 else values})


def only_value(values: Values) -> Any:
    return next(iter(values.values()))


def rows_of(values: Values) -> List[Dict[str, Any]]:
    names = list(values)
    return [dict(zip(names, row)) for row in zip(*values.values())]


def check_rows(values: Values, rows: Optional[int]) -> None:
    for name, value in values.items():
        if type(value) is not list or len(value) != rows:
            raise Refusal(400, f"instances: the output {name} has no row for each of the {rows} instances; use inputs")
