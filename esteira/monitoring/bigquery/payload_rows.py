"""A body as the request log has it: one text of JSON an instance or a prediction.

The same as split_payloads.sql does in DuckDB: bodies are those of TensorFlow Serving's REST interface.
https://www.tensorflow.org/tfx/serving/api_rest#predict_api
"""

import json
from typing import Any, List

INSTANCES, INPUTS = "instances", "inputs"
PREDICTIONS, OUTPUTS = "predictions", "outputs"


def rows_of(body: bytes, by_row: str, by_column: str) -> List[str]:
    """Return the rows of a body, which has them in a list, or by column; what fits neither is one element, as it is."""
    whole = body.decode("utf-8", "backslashreplace")
    try:
        fields: Any = json.loads(whole)
    except (ValueError, RecursionError):
        return [whole]
    if not isinstance(fields, dict):
        return [whole]
    rows, columns = fields.get(by_row), fields.get(by_column)
    if isinstance(rows, list):
        return [encode(row) for row in rows]
    if isinstance(columns, list):
        return [encode(row) for row in columns]
    if isinstance(columns, dict) and are_even(list(columns.values())):
        return [encode(dict(zip(columns, values))) for values in zip(*columns.values())]
    return [whole]


def are_even(columns: List[Any]) -> bool:
    """Return whether there are columns, all of them lists of one length."""
    return bool(columns) and all(isinstance(one, list) for one in columns) and len(set(map(len, columns))) == 1


def encode(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
