"""Reading one JSON value as one element of a tensor.

The mapping of types is TensorFlow Serving's: https://www.tensorflow.org/tfx/serving/api_rest#json_mapping
"""

import base64
import binascii
import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, Union

import numpy as np


class ScalarError(Exception):
    """A value that is no element of the tensor; the text says what was expected."""


@dataclass(frozen=True)
class ScalarType:
    """How elements of a dtype are called in messages, read and stored."""

    singular: str
    plural: str
    read: Callable[[Any], Any]
    numpy_dtype: Any


def kind_of(value: Any) -> str:
    """Return what a JSON value is, with its article."""
    if value is None:
        return "null"
    names = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object")


def is_binary(value: Any) -> bool:
    """True for {"b64": "..."}, the form in which JSON carries bytes."""
    return type(value) is dict and len(value) == 1 and type(value.get("b64")) is str


def read_string(value: Any) -> bytes:
    if type(value) is str:
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError:
            raise ScalarError("expected text that UTF-8 can write, got half a surrogate pair") from None
    if is_binary(value):
        return read_base64(value["b64"])
    raise ScalarError(f"expected a string, got {kind_of(value)}")


def read_base64(text: str) -> bytes:
    """Return the bytes; the padding may be left out, as TensorFlow Serving allows."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ScalarError('expected base64 in "b64", got other characters') from None


def read_boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise ScalarError(f"expected true or false, got {kind_of(value)}")
    return bool(value)


def integer_reader(name: str) -> Callable[[Any], int]:
    limits = np.iinfo(name)

    def read_integer(value: Any) -> int:
        if type(value) is not int:
            got = value if type(value) is float else kind_of(value)
            raise ScalarError(f"expected a whole number, got {got}")
        if not limits.min <= value <= limits.max:
            raise ScalarError(f"expected a number that fits {name}, got one beyond it")
        return int(value)

    return read_integer


def float_reader(name: str) -> Callable[[Any], float]:
    largest = float(np.finfo(name).max)

    def read_float(value: Any) -> Union[int, float]:
        if type(value) is not float and type(value) is not int:
            raise ScalarError(f"expected a number, got {kind_of(value)}")
        if abs(value) > largest and not (type(value) is float and math.isinf(value)):
            raise ScalarError(f"expected a number that fits {name}, got one beyond it")
        return value

    return read_float


SCALAR_TYPES: Dict[str, ScalarType] = {
    "DT_STRING": ScalarType("a string", "strings", read_string, object),
    "DT_BOOL": ScalarType("true or false", "booleans", read_boolean, bool),
}
for _name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
    SCALAR_TYPES[f"DT_{_name.upper()}"] = ScalarType(
        "a whole number", "whole numbers", integer_reader(_name), np.dtype(_name)
    )
for _dtype, _name in (("DT_HALF", "float16"), ("DT_FLOAT", "float32"), ("DT_DOUBLE", "float64")):
    SCALAR_TYPES[_dtype] = ScalarType("a number", "numbers", float_reader(_name), np.dtype(_name))
