"""Reading one field of a row as the value of a model's input."""

import json
from typing import Any

from esteira.serving.interface import Tensor

KINDS = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


class CellError(Exception):
    """A field that is no such value; the text says what was expected."""


def read_text(value: Any, key: str) -> str:
    """Return a text of JSON. Raises CellError for anything else."""
    if not isinstance(value, str):
        raise CellError(f'its "{key}" is {KINDS.get(type(value), "null")}; expected a text in quotes')
    return value


def read_cell(text: str, tensor: Tensor, column: str) -> Any:
    """Return a CSV's field as JSON has it: a text as it is, all else as it is written in JSON. Raises CellError."""
    if tensor.dtype == "DT_STRING" and (tensor.is_text or not text.lstrip().startswith("[")):
        return text
    try:
        return json.loads(text.lower() if tensor.dtype == "DT_BOOL" else text)
    except ValueError:
        raise CellError(f'its "{column}" is "{text[:40]}"; expected a value such as {example_of(tensor)}') from None


def example_of(tensor: Tensor) -> str:
    one = {"DT_STRING": '"text"', "DT_BOOL": "true", "DT_FLOAT": "0.5", "DT_DOUBLE": "0.5", "DT_HALF": "0.5"}
    value = one.get(tensor.dtype, "1")
    for size in reversed((tensor.shape or ())[1:]):
        value = f"[{', '.join([value] * min(size or 2, 3))}]"
    return value
