"""Reading nested JSON lists as a tensor, and saying which element does not fit."""

from typing import Any, List, Tuple

import numpy as np

from esteira.serving.scalars import SCALAR_TYPES, ScalarError, ScalarType, is_binary, kind_of
from esteira.serving.signature import Array, Shape

# NumPy itself ends at 32 dimensions.
MAX_RANK = 32

Position = Tuple[int, ...]


class TensorError(Exception):
    """A value that does not fit; `position` leads to it through the nested lists."""

    def __init__(self, position: Position, message: str) -> None:
        super().__init__(message)
        self.position = position
        self.message = message


def read_tensor(value: Any, dtype: str, shape: Shape) -> Array:
    """Return the nested lists as an array of `dtype` whose shape agrees with `shape`.

    Strings become objects of type bytes. Raises TensorError.
    """
    scalar = SCALAR_TYPES.get(dtype)
    if scalar is None:
        raise TensorError((), f"the model wants {dtype}, which JSON cannot carry")
    if shape is None:
        shape = (None,) * nesting_of(value)
    sizes = measure_sizes(value, shape)
    leaves: List[Any] = []
    collect_leaves(value, sizes, shape, scalar, (), leaves)
    return np.array(leaves, dtype=scalar.numpy_dtype).reshape(sizes)


def nesting_of(value: Any) -> int:
    """Return how many lists stand around the first element."""
    depth = 0
    while type(value) is list:
        depth += 1
        value = value[0] if value else None
    if depth > MAX_RANK:
        raise TensorError((), f"expected at most {MAX_RANK} nested lists, got {depth}")
    return depth


def measure_sizes(value: Any, shape: Tuple[Any, ...]) -> List[int]:
    """Return the sizes to hold every list to: the signature's, and where they are open the first list's."""
    sizes = []
    for size in shape:
        found = len(value) if type(value) is list else 0
        sizes.append(found if size is None else size)
        value = value[0] if type(value) is list and value else None
    return sizes


def collect_leaves(
    value: Any,
    sizes: List[int],
    shape: Tuple[Any, ...],
    scalar: ScalarType,
    position: Position,
    leaves: List[Any],
) -> None:
    depth = len(position)
    if depth == len(sizes):
        leaves.append(read_leaf(value, scalar, position))
        return
    check_list(value, sizes[depth], shape[depth] is None, scalar, position)
    for index, element in enumerate(value):
        collect_leaves(element, sizes, shape, scalar, (*position, index), leaves)


def read_leaf(value: Any, scalar: ScalarType, position: Position) -> Any:
    try:
        return scalar.read(value)
    except ScalarError as error:
        raise TensorError(position, str(error)) from None


def check_list(value: Any, size: int, is_open: bool, scalar: ScalarType, position: Position) -> None:
    if type(value) is not list:
        got = "binary data" if is_binary(value) else kind_of(value)
        raise TensorError(position, f"expected a list of {scalar.plural}, got {got}")
    if len(value) != size:
        like = ", as many as the first" if is_open else ""
        raise TensorError(position, f"expected a list of length {size}{like}, got {len(value)}")
