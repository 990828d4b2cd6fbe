"""A model's outputs as JSON values, which are made once for all the requests that shared a batch."""

import base64
from typing import Any, Callable, Dict, Optional

import numpy as np
import orjson

from esteira.serving.signature import Array, Arrays

# Nested lists of JSON values by the names of the outputs; they may be shared, and are not to be changed.
Values = Dict[str, Any]

# Outputs with this end in their name hold bytes, whatever they look like.
# https://www.tensorflow.org/tfx/serving/api_rest#output_of_binary_values
BINARY_SUFFIX = "_bytes"


class BatchOutputs:
    """What the model gave for a batch. The first request that asks for the values makes them for all."""

    __slots__ = ("_values", "arrays")

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self._values: Optional[Values] = None

    def values(self) -> Values:
        if self._values is None:
            self._values = json_values(self.arrays)
        return self._values


class Outputs:
    """What the model gave for a request: these rows of the outputs of a batch, all of them where none are named."""

    __slots__ = ("_batch", "_rows")

    def __init__(self, batch: BatchOutputs, rows: Optional[slice] = None) -> None:
        self._batch = batch
        self._rows = rows

    def arrays(self) -> Arrays:
        arrays, rows = self._batch.arrays, self._rows
        return arrays if rows is None else {name: array[rows] for name, array in arrays.items()}

    def values(self) -> Values:
        values, rows = self._batch.values(), self._rows
        return values if rows is None else {name: value[rows] for name, value in values.items()}


def json_values(arrays: Arrays) -> Values:
    return {name: nested_values(name, array) for name, array in arrays.items()}


def nested_values(name: str, array: Array) -> Any:
    """Return the array as nested lists of JSON values.

    A float of 32 bits is written with the fewest digits that read back as the same 32 bits:
    0.9, not 0.8999999761581421.
    """
    if array.dtype == object:
        write = encode_binary if name.endswith(BINARY_SUFFIX) else decode_text
        return map_leaves(write, array.tolist())
    if array.dtype == np.float32 and np.isfinite(array).all():
        return orjson.loads(orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY))
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
