"""The signatures of a model, by their inputs and outputs, as a client sees them: without NumPy and TensorFlow.

They are read from a server's metadata, in TensorFlow Serving's form, or from the model's own saved_model.pb.
"""

from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from esteira.errors import ServingError

DEFAULT = "serving_default"


class Tensor(NamedTuple):
    """A dtype such as DT_STRING; None stands for a size that is open, a shape of None for an open rank."""

    dtype: str
    shape: Optional[Tuple[Optional[int], ...]]

    def __str__(self) -> str:
        kind = self.dtype[3:].lower() if self.dtype.startswith("DT_") else self.dtype
        if self.shape is None:
            return f"{kind}[?]"
        return f"{kind}[{','.join('n' if size is None else str(size) for size in self.shape)}]"

    @property
    def is_text(self) -> bool:
        """True for one string a row."""
        return self.dtype == "DT_STRING" and self.shape in ((None,), None)


class Interface(NamedTuple):
    """The inputs and outputs of one signature, by name."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    def __str__(self) -> str:
        return f"{told(self.inputs)} → {told(self.outputs)}"


def told(tensors: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name} {tensor}" for name, tensor in sorted(tensors.items())) or "nothing"


def read_interfaces(metadata: Any) -> Dict[str, Interface]:
    """Return what the answer of GET .../metadata says of each signature. Raises ServingError."""
    try:
        described = metadata["metadata"]["signature_def"]["signature_def"]
        return {
            name: Interface(read_tensors(one.get("inputs", {})), read_tensors(one.get("outputs", {})))
            for name, one in described.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ServingError(
            f"the metadata {str(metadata)[:200]} is not understood ({error!r}).\n"
            "Expected what TensorFlow Serving answers. To serve the project's model: make serve"
        ) from None


def read_tensors(described: Mapping[str, Any]) -> Dict[str, Tensor]:
    return {name: Tensor(one["dtype"], read_shape(one["tensor_shape"])) for name, one in described.items()}


def read_shape(shape: Mapping[str, Any]) -> Optional[Tuple[Optional[int], ...]]:
    if shape.get("unknown_rank"):
        return None
    sizes = (int(dimension["size"]) for dimension in shape.get("dim", []))
    return tuple(None if size < 0 else size for size in sizes)
