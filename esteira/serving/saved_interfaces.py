"""The signatures in a saved_model.pb, read from the bytes themselves: no program here should import TensorFlow for it.

The fields' numbers are those of saved_model.proto, meta_graph.proto, tensor_shape.proto and types.proto in
tensorflow/core: a later version of TensorFlow adds others, which are passed over.
https://protobuf.dev/programming-guides/encoding/
"""

from typing import Dict, Iterator, List, Optional, Tuple, Union

from esteira.errors import ServingError
from esteira.serving.interface import Interface, Tensor
from esteira.serving.saved_model import AGAIN

SERVE_TAG = "serve"
# What tf.saved_model.save writes into the signatures for its own use.
INTERNAL_PREFIX = "__saved_model"
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
SIZES = {FIXED64: 8, FIXED32: 4}
# Of types.proto, those that JSON can carry.
DTYPES = {
    **{1: "DT_FLOAT", 2: "DT_DOUBLE", 3: "DT_INT32", 4: "DT_UINT8", 5: "DT_INT16", 6: "DT_INT8", 7: "DT_STRING"},
    **{9: "DT_INT64", 10: "DT_BOOL", 17: "DT_UINT16", 19: "DT_HALF", 22: "DT_UINT32", 23: "DT_UINT64"},
}

Value = Union[int, bytes]


def saved_interfaces(content: bytes, place: str) -> Dict[str, Interface]:
    """Return the signatures of the graph that is tagged for serving, by name. Raises ServingError if it is damaged."""
    try:
        for graph in submessages(content, 2):
            tags = [tag.decode("utf-8") for info in submessages(graph, 1) for tag in submessages(info, 4)]
            if SERVE_TAG in tags:
                named = dict(read_entry(entry) for entry in submessages(graph, 5))
                return {
                    name: read_interface(signature)
                    for name, signature in sorted(named.items())
                    if not name.startswith(INTERNAL_PREFIX)
                }
    except (IndexError, ValueError) as error:
        raise ServingError(f"{place}: is damaged: {error}.\n{AGAIN}") from None
    raise ServingError(f"{place}: has no graph for serving.\n{AGAIN}")


def read_interface(signature: bytes) -> Interface:
    inputs, outputs = (dict(read_entry(entry) for entry in submessages(signature, number)) for number in (1, 2))
    return Interface(
        {name: read_tensor(info) for name, info in sorted(inputs.items())},
        {name: read_tensor(info) for name, info in sorted(outputs.items())},
    )


def read_entry(entry: bytes) -> Tuple[str, bytes]:
    """Return the key and the value of an entry of a map."""
    keys, values = submessages(entry, 1), submessages(entry, 2)
    return next(keys, b"").decode("utf-8"), next(values, b"")


def read_tensor(info: bytes) -> Tensor:
    numbers = [value for number, value in fields(info) if number == 2 and isinstance(value, int)]
    dtype = numbers[-1] if numbers else 0
    return Tensor(DTYPES.get(dtype, f"DT_{dtype}"), read_shape(next(submessages(info, 3), b"")))


def read_shape(shape: bytes) -> Optional[Tuple[Optional[int], ...]]:
    if any(number == 3 and value for number, value in fields(shape)):
        return None
    sizes: List[Optional[int]] = []
    for dimension in submessages(shape, 2):
        size = next((value for number, value in fields(dimension) if number == 1 and isinstance(value, int)), 0)
        # A negative number of 64 bits, written as what it is without a sign.
        sizes.append(None if size >= 1 << 63 else size)
    return tuple(sizes)


def submessages(message: bytes, wanted: int) -> Iterator[bytes]:
    return (value for number, value in fields(message) if number == wanted and isinstance(value, bytes))


def fields(message: bytes) -> Iterator[Tuple[int, Value]]:
    """Yield the number and the value of each field: whole numbers, or the bytes of all else."""
    at = 0
    while at < len(message):
        key, at = read_varint(message, at)
        kind = key & 7
        if kind == VARINT:
            number, at = read_varint(message, at)
            yield key >> 3, number
            continue
        if kind == BYTES:
            size, at = read_varint(message, at)
        elif kind in SIZES:
            size = SIZES[kind]
        else:
            raise ValueError(f"a field of the kind {kind} at byte {at}")
        if at + size > len(message):
            raise ValueError(f"it ends within a field of {size} bytes")
        yield key >> 3, message[at : at + size]
        at += size


def read_varint(message: bytes, at: int) -> Tuple[int, int]:
    """Return a number in base 128, its lowest digit first, and where it ends."""
    number = shift = 0
    while True:
        digit = message[at]
        number |= (digit & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if digit < 0x80:
            return number, at
