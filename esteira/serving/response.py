"""Writing a model's outputs as the JSON that answers a :predict request."""

import base64
import json
from typing import Any, Callable, Dict, List, Optional

import numpy as np

from esteira.serving.refusal import Refusal
from esteira.serving.signature import Array, Arrays

# Outputs with this end in their name hold bytes, whatever they look like.
# https://www.tensorflow.org/tfx/serving/api_rest#output_of_binary_values
BINARY_SUFFIX = "_bytes"


def encode_json(value: Any) -> bytes:
    """Return compact JSON in ASCII; NaN and Infinity are written so, as TensorFlow Serving does."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def encode_outputs(outputs: Arrays, *, by_row: bool, rows: Optional[int]) -> bytes:
    """Return {"predictions": ...}, a value or object a row, or {"outputs": ...}, a tensor a name.

    A single output goes without its name. Raises Refusal if an output has other rows than the request.
    """
    values = {name: nested_values(name, array) for name, array in outputs.items()}
    if by_row:
        check_rows(outputs, rows)
        return encode_json({"predictions": only_value(values) if len(values) == 1 else rows_of(values)})
    return encode_json({"outputs": only_value(values) if len(values) == 1 else values})


def only_value(values: Dict[str, Any]) -> Any:
    return next(iter(values.values()))


def rows_of(values: Dict[str, Any]) -> List[Dict[str, Any]]:
    names = list(values)
    return [dict(zip(names, row)) for row in zip(*values.values())]


def check_rows(outputs: Arrays, rows: Optional[int]) -> None:
    for name, array in outputs.items():
        if array.shape[:1] != (rows,):
            raise Refusal(
                400, f"instances: the output {name} has no row for each of the {rows} instances; use inputs"
            )


def nested_values(name: str, array: Array) -> Any:
    """Return the array as nested lists of JSON values.

    A float of 32 bits is written with the fewest digits that read back as the same 32 bits:
    0.9, not 0.8999999761581421.
    """
    if array.dtype == object:
        write = encode_binary if name.endswith(BINARY_SUFFIX) else decode_text
        return map_leaves(write, array.tolist())
    if array.dtype in (np.float16, np.float32):
        return array.astype("U32").astype(np.float64).tolist()
    return array.tolist()


def map_leaves(write: Callable[[bytes], Any], value: Any) -> Any:
    return [map_leaves(write, element) for element in value] if isinstance(value, list) else write(value)


def decode_text(value: bytes) -> Any:
    """Return the text, or the bytes as base64 where they are not UTF-8."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return encode_binary(value)


def encode_binary(value: bytes) -> Dict[str, str]:
    return {"b64": base64.b64encode(value).decode("ascii")}
