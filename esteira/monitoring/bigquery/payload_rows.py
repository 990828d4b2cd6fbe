"""A body as the request log has it: one text of JSON an instance or a prediction.

The same as split_payloads.sql does in DuckDB, but for what a server refuses, since Python's json does not read it: a
comma after the last element, `nan`, lists more than some hundreds deep. Bodies are those of TensorFlow
Serving's REST interface: https://www.tensorflow.org/tfx/serving/api_rest#predict_api
"""

import json
import math
import re
from decimal import Decimal
from typing import Any, List, Optional, Tuple

INSTANCES, INPUTS = "instances", "inputs"
PREDICTIONS, OUTPUTS = "predictions", "outputs"

CONTROL = re.compile(r"\\u00([01][0-9a-f])")


class Number(str):
    """A number of JSON, as it is written."""


class Fields(List[Tuple[str, Any]]):
    """An object of JSON: names may come twice, and the log has both."""


def rows_of(body: bytes, by_row: str, by_column: str) -> List[str]:
    """Return the rows of a body, which has them in a list, or by column.

    What fits neither is one element, as it is; so is what can be understood in two ways, since a name comes twice in
    the body or among its columns, and what is no text, since it has half a surrogate pair.
    """
    whole = body.decode("utf-8", "backslashreplace")
    try:
        fields = READER.decode(whole)
        found = split(fields, by_row, by_column)
        if found is None or ("\\u" in whole and not is_text(fields)):
            return [whole]
        return [encode(row) for row in found]
    except (ValueError, RecursionError):
        return [whole]


def split(body: Any, by_row: str, by_column: str) -> Optional[List[Any]]:
    if not isinstance(body, Fields) or has_twice(body):
        return None
    fields = dict(body)
    rows: Any = fields.get(by_row)
    columns: Any = fields.get(by_column)
    if is_list(rows):
        return list(rows)
    if is_list(columns):
        return list(columns)
    if isinstance(columns, Fields) and not has_twice(columns) and are_even([values for _, values in columns]):
        names = [name for name, _ in columns]
        return [Fields(zip(names, values)) for values in zip(*(values for _, values in columns))]
    return None


def is_list(value: Any) -> bool:
    return isinstance(value, list) and not isinstance(value, Fields)


def has_twice(fields: Fields) -> bool:
    return len({name for name, _ in fields}) < len(fields)


def are_even(columns: List[Any]) -> bool:
    """Return whether there are columns, all of them lists of one length."""
    return bool(columns) and all(map(is_list, columns)) and len(set(map(len, columns))) == 1


def is_text(value: Any) -> bool:
    """Return whether no string of a JSON value has half a surrogate pair."""
    try:
        encode(value).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def encode(value: Any) -> str:
    """Return compact JSON. The same values as DuckDB writes, letter by letter."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Fields):
        return "{" + ",".join(f"{quoted(name)}:{encode(element)}" for name, element in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    if isinstance(value, str):
        return quoted(value)
    return json.dumps(value)


def quoted(text: str) -> str:
    return CONTROL.sub(lambda found: f"\\u00{found[1].upper()}", json.dumps(text, ensure_ascii=False))


def written_float(text: str) -> Number:
    """Return the shortest text of the same FLOAT64, as JavaScript has it; what is beyond FLOAT64 stays as it came."""
    value = float(text)
    shortest = repr(value)
    digits, _, exponent = shortest.partition("e")
    if math.isinf(value):
        return Number(text)
    if not exponent:
        return Number(shortest)
    if not -7 < int(exponent) < 21:
        return Number(f"{digits}e{int(exponent)}")
    plain = f"{Decimal(shortest):f}"
    return Number(plain if "." in plain else f"{plain}.0")


def written_whole(text: str) -> Number:
    return Number("0" if text == "-0" else text)


READER = json.JSONDecoder(
    object_pairs_hook=Fields, parse_float=written_float, parse_int=written_whole, parse_constant=Number
)
