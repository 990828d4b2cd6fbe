"""What a server says of a model's signatures, and what each really answers, against the model's own file."""

import base64
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from esteira.serving.checks import Check, close, in_json
from esteira.serving.interface import DEFAULT, Interface, Tensor, told
from esteira.serving.probe import Probe, Said, encoded

# Rows of a question to a signature: more than one, so that a dimension of one size is not taken for the rows'.
ROWS = 2
WHOLE = ("DT_INT8", "DT_UINT8", "DT_INT16", "DT_UINT16", "DT_INT32", "DT_UINT32", "DT_INT64", "DT_UINT64")
REAL = ("DT_HALF", "DT_FLOAT", "DT_DOUBLE")

Columns = Dict[str, Any]


class Asked(NamedTuple):
    """A question to a signature: its columns, and whether they are the recorded texts."""

    columns: Columns
    is_recorded: bool


def check_described(described: Mapping[str, Interface], own: Mapping[str, Interface]) -> List[Check]:
    """Compare what a server says of each signature with what the model's file says."""
    names = sorted({*described, *own})
    return [
        Check(f"signature {name}", described.get(name) == own.get(name), shown(own, name), shown(described, name))
        for name in names
    ]


def shown(interfaces: Mapping[str, Interface], name: str) -> str:
    return str(interfaces[name]) if name in interfaces else "no such signature"


def check_answers(probe: Probe, own: Mapping[str, Interface], instances: Sequence[Mapping[str, str]]) -> List[Check]:
    """Ask each signature about a few rows: the names, dtypes and shapes of its outputs must be the model's own.

    What a signature that takes the recorded texts has in common with serving_default must be the same. One that
    refuses values that are made up for it is not at fault.
    """
    checks: List[Check] = []
    default: Mapping[str, Any] = {}
    for name in sorted(own, key=lambda name: (name != DEFAULT, name)):
        check, outputs, is_recorded = check_signature(probe, name, own[name], instances[:ROWS])
        checks.append(check)
        if name == DEFAULT:
            default = outputs
        elif is_recorded and set(outputs) & set(default):
            checks.append(check_same(name, outputs, default))
    return checks


def check_signature(
    probe: Probe, name: str, interface: Interface, instances: Sequence[Mapping[str, str]]
) -> Tuple[Check, Mapping[str, Any], bool]:
    """Return the check of a signature's answer, its outputs, and whether those are of the recorded texts."""
    title, expected = f"answer of {name}", told(interface.outputs)
    said: Optional[Said] = None
    for asked in questions(interface, instances):
        said = probe.send(encoded(signature_name=name, inputs=asked.columns))
        if said.status != 200:
            continue
        outputs = outputs_of(said.body, interface)
        fault = fault_of_outputs(outputs, interface.outputs, len(instances))
        return Check(title, not fault, expected, fault or expected), outputs, asked.is_recorded
    if said is None:
        return Check(title, True, expected, "not asked: JSON cannot carry what it takes"), {}, False
    passed = said.status == 400 and name != DEFAULT
    words = said.message or in_json(said.body)
    observed = f"not comparable: it refuses made-up values: {words}" if passed else f"status {said.status}: {words}"
    return Check(title, passed, expected, observed[:300]), {}, False


def questions(interface: Interface, instances: Sequence[Mapping[str, str]]) -> List[Asked]:
    """Return what a signature can be asked: the recorded texts as they are, or as serialized tf.Examples."""
    inputs = interface.inputs
    if all(tensor.is_text for tensor in inputs.values()):
        known = all(name in instance for instance in instances for name in inputs)
        if known:
            return [Asked({name: [instance[name] for instance in instances] for name in inputs}, True)]
        if len(inputs) == 1:
            examples = [{"b64": base64.b64encode(example_of(instance)).decode("ascii")} for instance in instances]
            return [Asked({name: examples for name in inputs}, True)]
    columns = {name: made_up(tensor, len(instances)) for name, tensor in inputs.items()}
    return [] if any(column is None for column in columns.values()) else [Asked(columns, False)]


def made_up(tensor: Tensor, rows: int) -> Any:
    """Return zeros, or empty texts, of a tensor's shape; None where JSON cannot carry them."""
    zeros = {"DT_STRING": "", "DT_BOOL": False, **dict.fromkeys(WHOLE, 0), **dict.fromkeys(REAL, 0.0)}
    if tensor.dtype not in zeros or tensor.shape is None:
        return None
    value: Any = zeros[tensor.dtype]
    for size in reversed(tensor.shape):
        value = [value] * (rows if size is None else size)
    return value


def example_of(features: Mapping[str, str]) -> bytes:
    """Return a serialized tf.train.Example of texts: Features in 1, its map in 1, a BytesList in 1 of each.

    https://github.com/tensorflow/tensorflow/blob/v2.13.1/tensorflow/core/example/example.proto
    """
    entries = b"".join(
        delimited(1, delimited(1, name.encode()) + delimited(2, delimited(1, delimited(1, text.encode()))))
        for name, text in sorted(features.items())
    )
    return delimited(1, entries)


def delimited(number: int, content: bytes) -> bytes:
    """Return a field of bytes as protocol buffers have it."""
    size, digits = len(content), bytearray()
    while size >= 0x80:
        digits.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *digits, size]) + content


def outputs_of(body: Any, interface: Interface) -> Mapping[str, Any]:
    """Return the outputs by name: a single one is answered without its own."""
    outputs = body.get("outputs") if isinstance(body, dict) else None
    if len(interface.outputs) == 1:
        return {name: outputs for name in interface.outputs}
    return outputs if isinstance(outputs, dict) else {}


def fault_of_outputs(outputs: Mapping[str, Any], expected: Mapping[str, Tensor], rows: int) -> str:
    if set(outputs) != set(expected):
        return f"the outputs {', '.join(sorted(outputs)) or 'none'}"
    faults = [(name, fault_of_value(outputs[name], tensor, rows)) for name, tensor in sorted(expected.items())]
    return "; ".join(f"{name} {fault}" for name, fault in faults if fault)


def fault_of_value(value: Any, tensor: Tensor, rows: int) -> str:
    """Return what in an output is not as its dtype and shape have it; an open first size is that of the rows."""
    if tensor.shape is None:
        return ""
    shape = [rows if size is None and at == 0 else size for at, size in enumerate(tensor.shape)]
    found: List[int] = []
    while isinstance(value, list) and len(found) < len(shape):
        found.append(len(value))
        value = value[0] if value else None
    if len(found) != len(shape) or any(size not in (None, seen) for size, seen in zip(shape, found)):
        return f"of the shape {found}, expected {tensor}"
    return "" if value is None or is_of(value, tensor.dtype) else f"with {in_json(value)[:60]}, expected {tensor}"


def is_of(value: Any, dtype: str) -> bool:
    if dtype == "DT_STRING":
        return isinstance(value, str) or (isinstance(value, dict) and set(value) == {"b64"})
    if dtype == "DT_BOOL":
        return isinstance(value, bool)
    kinds = (int,) if dtype in WHOLE else (int, float)
    return type(value) in kinds


def check_same(name: str, outputs: Mapping[str, Any], default: Mapping[str, Any]) -> Check:
    """Compare the outputs that a signature has in common with serving_default, which got the same texts."""
    common = sorted(set(outputs) & set(default))
    other = next((output for output in common if not same(outputs[output], default[output])), "")
    expected = f"the same {', '.join(common)}"
    if not other:
        return Check(f"{name} as {DEFAULT}", True, expected, "no difference")
    expected, observed = in_json(default[other])[:150], in_json(outputs[other])[:150]
    return Check(f"{name} as {DEFAULT}: {other}", False, expected, observed)


def same(one: Any, two: Any) -> bool:
    """Compare nested lists; numbers may differ in the last digits."""
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(same(*pair) for pair in zip(one, two))
    are_numbers = type(one) in (int, float) and type(two) in (int, float)
    return close(one, two) if are_numbers else bool(one == two)
