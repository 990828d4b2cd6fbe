"""What a SavedModel's signature takes and gives, described without TensorFlow."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Dict, FrozenSet, Mapping, Optional, Sequence, Tuple

import numpy.typing as npt

DEFAULT_SIGNATURE = "serving_default"

Array = npt.NDArray[Any]
# Named tensors, by the names that the signature gives them.
Arrays = Dict[str, Array]
# None stands for a size that is open; a shape of None for an open rank.
Shape = Optional[Tuple[Optional[int], ...]]


@dataclass(frozen=True)
class TensorSpec:
    """An input or an output: `dtype` as DT_STRING, `graph_name` as the tensor is called in the graph."""

    name: str
    dtype: str
    shape: Shape
    graph_name: str = ""

    @property
    def has_open_batch(self) -> bool:
        return bool(self.shape) and self.shape is not None and self.shape[0] is None


@dataclass(frozen=True)
class Signature:
    """A named function of the model; inputs and outputs are in order of their names."""

    name: str
    inputs: Tuple[TensorSpec, ...]
    outputs: Tuple[TensorSpec, ...]
    method_name: str = "tensorflow/serving/predict"

    @cached_property
    def input_names(self) -> FrozenSet[str]:
        return frozenset(tensor.name for tensor in self.inputs)

    @cached_property
    def is_batchable(self) -> bool:
        """True if rows of several requests can be put together: every tensor's first dimension is open."""
        return all(tensor.has_open_batch for tensor in self.inputs + self.outputs)


def describe_metadata(
    model: str, version: int, signatures: Mapping[str, Signature], labels: Optional[Sequence[str]]
) -> Dict[str, Any]:
    """Return the answer of GET .../metadata as TensorFlow Serving writes it.

    Its `metadata` is a map of named parts, of which TensorFlow Serving fills `signature_def`;
    `labels`, the classes in the order of the probabilities, is a second part where the model has it.
    """
    described = {name: describe_signature(signature) for name, signature in sorted(signatures.items())}
    metadata: Dict[str, Any] = {"signature_def": {"signature_def": described}}
    if labels is not None:
        metadata["labels"] = list(labels)
    spec = {"name": model, "signature_name": "", "version": str(version)}
    return {"model_spec": spec, "metadata": metadata}


def describe_signature(signature: Signature) -> Dict[str, Any]:
    return {
        "inputs": {tensor.name: describe_tensor(tensor) for tensor in signature.inputs},
        "outputs": {tensor.name: describe_tensor(tensor) for tensor in signature.outputs},
        "method_name": signature.method_name,
    }


def describe_tensor(tensor: TensorSpec) -> Dict[str, Any]:
    """Return a TensorInfo in proto3's JSON form, in which 64-bit numbers are strings."""
    sizes = tensor.shape or ()
    dimensions = [{"size": str(-1 if size is None else size), "name": ""} for size in sizes]
    return {
        "dtype": tensor.dtype,
        "tensor_shape": {"dim": dimensions, "unknown_rank": tensor.shape is None},
        "name": tensor.graph_name,
    }
