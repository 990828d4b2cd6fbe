"""Reading the body of a :predict request against the model's signatures.

The two forms, rows in `instances` and columns in `inputs`, are TensorFlow Serving's:
https://www.tensorflow.org/tfx/serving/api_rest#predict_api
Vertex AI passes on `instances` and `parameters`, and no other field; there `parameters` may name the signature.
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/predict
"""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import orjson

from esteira.serving.refusal import Refusal
from esteira.serving.scalars import is_binary, kind_of
from esteira.serving.signature import DEFAULT_SIGNATURE, Array, Arrays, Signature, TensorSpec
from esteira.serving.tensors import Position, TensorError, read_tensor

KEYS = ("instances", "inputs", "signature_name", "parameters")


@dataclass(frozen=True)
class PredictRequest:
    """A request that fits its signature.

    `by_row` tells the form; `rows` is the size of the common first dimension, None if there is none.
    """

    signature: Signature
    arrays: Arrays
    rows: Optional[int]
    by_row: bool


def parse_request(body: bytes, signatures: Mapping[str, Signature], max_rows: int) -> PredictRequest:
    """Return the request that `body` makes. Raises Refusal that names the field at fault."""
    fields = parse_json(body)
    check_keys(fields)
    signature = find_signature(fields, signatures)
    try:
        if "instances" in fields:
            check_count("instances", fields["instances"], max_rows)
            arrays = read_rows(fields["instances"], signature)
        else:
            arrays = read_columns(fields["inputs"], signature)
    except RecursionError:
        raise Refusal(400, "body: expected fewer nested lists") from None
    rows = common_rows(arrays)
    if rows == 0:
        raise Refusal(400, "inputs: expected at least one row, got none")
    check_rows("inputs", rows or 0, max_rows)
    return PredictRequest(signature, arrays, rows, by_row="instances" in fields)


def check_count(field: str, rows: Any, max_rows: int) -> None:
    """Refuse too many rows before each of them is read."""
    if type(rows) is list:
        check_rows(field, len(rows), max_rows)


def check_rows(field: str, rows: int, max_rows: int) -> None:
    if rows > max_rows:
        raise Refusal(413, f"{field}: {rows} rows; expected at most {max_rows} in one request")


def parse_json(body: bytes) -> Dict[str, Any]:
    """Return the JSON object; NaN and Infinity are numbers, as in TensorFlow Serving.

    Of a name that an object has twice, Python would take the last value, and the request log's database the first.
    """
    try:
        fields = load_json(body)
        # Each name has a colon after it: where there are no more colons than names that were read, none was lost. To
        # watch each object, as is done else, takes as long as reading it once more.
        if body.count(b":") > count_names(fields):
            WATCHFUL.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refusal(400, f"body: expected UTF-8, got another byte at offset {error.start}") from None
    except RecursionError:
        raise Refusal(400, "body: expected fewer nested lists or objects") from None
    except ValueError as error:
        raise Refusal(400, f"body: expected JSON: {error}") from None
    if type(fields) is not dict:
        raise Refusal(400, f'body: expected an object such as {{"instances": [...]}}, got {kind_of(fields)}')
    return dict(fields)


def load_json(body: bytes) -> Any:
    """Read what orjson reads fast, and as Python does the rest: NaN, numbers and texts beyond what orjson takes."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body.decode("utf-8"))


def count_names(fields: Any) -> int:
    """Return the number of names in a request, or fewer: those of nested objects are left out."""
    if type(fields) is not dict:
        return 0
    rows = fields.get("instances", fields.get("inputs"))
    if type(rows) is list:
        return len(fields) + sum(len(row) for row in rows if type(row) is dict)
    return len(fields) + (len(rows) if type(rows) is dict else 0)


def check_pairs(pairs: List[Tuple[str, Any]]) -> None:
    """Refuse an object that has a name twice."""
    if len({name for name, _ in pairs}) < len(pairs):
        (name, count), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise Refusal(400, f"{name}: is there {count} times in one object; expected once")


WATCHFUL = json.JSONDecoder(object_pairs_hook=check_pairs)


def check_keys(fields: Mapping[str, Any]) -> None:
    unknown = sorted(fields.keys() - KEYS)
    if unknown:
        raise Refusal(400, f"{unknown[0]}: unknown field; expected one of {', '.join(KEYS)}")
    if "instances" in fields and "inputs" in fields:
        raise Refusal(400, "inputs: expected either instances or inputs, got both")
    if "instances" not in fields and "inputs" not in fields:
        raise Refusal(400, "instances: missing; expected instances (rows) or inputs (columns)")


def find_signature(fields: Mapping[str, Any], signatures: Mapping[str, Signature]) -> Signature:
    """Return the signature that the request names, in a field of its own or else among its parameters."""
    parameters = fields.get("parameters")
    if parameters is None:
        parameters = {}
    if type(parameters) is not dict:
        raise Refusal(400, f"parameters: expected an object, got {kind_of(parameters)}")
    unknown = sorted(set(parameters) - {"signature_name"})
    if unknown:
        raise Refusal(400, f"parameters.{unknown[0]}: unknown field; expected none but signature_name")
    # Both are looked at, so that nothing in a request is beyond what is understood.
    signature = choose_signature(parameters.get("signature_name", DEFAULT_SIGNATURE), signatures)
    return choose_signature(fields["signature_name"], signatures) if "signature_name" in fields else signature


def choose_signature(name: Any, signatures: Mapping[str, Signature]) -> Signature:
    if type(name) is not str:
        raise Refusal(400, f"signature_name: expected a string, got {kind_of(name)}")
    # The default is also meant by an empty name, which clients of TensorFlow Serving send.
    signature = signatures.get(name or DEFAULT_SIGNATURE)
    if signature is None:
        raise Refusal(400, f'signature_name: no signature "{name}"; the model has {", ".join(sorted(signatures))}')
    return signature


def read_rows(instances: Any, signature: Signature) -> Arrays:
    """Return one array an input from a list with a value, or an object of named values, a row."""
    if type(instances) is not list:
        raise Refusal(400, f"instances: expected a list, got {kind_of(instances)}")
    if not instances:
        raise Refusal(400, "instances: expected at least one row, got an empty list")
    for tensor in signature.inputs:
        if tensor.shape == ():
            raise Refusal(400, f"instances: {tensor.name} has no dimension for rows; use inputs")
    if is_named(instances[0]):
        check_named_rows(instances, signature)
        return {
            tensor.name: read_input([row[tensor.name] for row in instances], tensor, row_place(f".{tensor.name}"))
            for tensor in signature.inputs
        }
    check_plain(instances[0], "instances[0]", signature)
    for index, row in enumerate(instances):
        if is_named(row):
            raise Refusal(
                400, f"instances[{index}]: expected {kind_of(instances[0])} as in instances[0], got an object"
            )
    tensor = signature.inputs[0]
    return {tensor.name: read_input(instances, tensor, row_place(""))}


def check_named_rows(instances: Sequence[Any], signature: Signature) -> None:
    for index, row in enumerate(instances):
        if not is_named(row):
            raise Refusal(400, f"instances[{index}]: expected an object as in instances[0], got {kind_of(row)}")
        check_names(row, f"instances[{index}]", signature)


def read_columns(inputs: Any, signature: Signature) -> Arrays:
    """Return one array an input from an object of named tensors, or from the only tensor."""
    if is_named(inputs):
        check_names(inputs, "inputs", signature)
        return {
            tensor.name: read_input(inputs[tensor.name], tensor, column_place(f"inputs.{tensor.name}"))
            for tensor in signature.inputs
        }
    check_plain(inputs, "inputs", signature)
    tensor = signature.inputs[0]
    return {tensor.name: read_input(inputs, tensor, column_place("inputs"))}


def is_named(value: Any) -> bool:
    return type(value) is dict and not is_binary(value)


def check_names(values: Mapping[str, Any], place: str, signature: Signature) -> None:
    if values.keys() == signature.input_names:
        return
    names = [tensor.name for tensor in signature.inputs]
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise Refusal(400, f"{place}.{unknown[0]}: no such input; {signature.name} takes {', '.join(names)}")
    missing = [name for name in names if name not in values]
    if missing:
        raise Refusal(400, f"{place}.{missing[0]}: missing; {signature.name} takes {', '.join(names)}")


def check_plain(value: Any, place: str, signature: Signature) -> None:
    if len(signature.inputs) != 1:
        names = ", ".join(tensor.name for tensor in signature.inputs)
        raise Refusal(400, f"{place}: expected an object with {names}, got {kind_of(value)}")


def read_input(value: Any, tensor: TensorSpec, place: Callable[[Position], str]) -> Array:
    try:
        return read_tensor(value, tensor.dtype, tensor.shape)
    except TensorError as error:
        raise Refusal(400, f"{place(error.position)}: {error.message}") from None


def row_place(name: str) -> Callable[[Position], str]:
    def describe(position: Position) -> str:
        if not position:
            return f"instances{name}"
        return f"instances[{position[0]}]{name}{brackets(position[1:])}"

    return describe


def column_place(name: str) -> Callable[[Position], str]:
    return lambda position: f"{name}{brackets(position)}"


def brackets(position: Position) -> str:
    return "".join(f"[{index}]" for index in position)


def common_rows(arrays: Arrays) -> Optional[int]:
    """Return the size of the first dimension that all arrays share."""
    sizes: List[int] = [array.shape[0] if array.ndim else -1 for array in arrays.values()]
    return sizes[0] if sizes and sizes[0] >= 0 and len(set(sizes)) == 1 else None
