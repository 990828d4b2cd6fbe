"""Calling a signature of a loaded SavedModel without what Python does for a call: a third of the time of a small one.

A signature is a function of the graph, which takes its inputs in the order of their names and then the variables and
tables that it captured. TensorFlow's own operation for calling such a function runs it at once.
https://www.tensorflow.org/api_docs/python/tf/raw_ops/StatefulPartitionedCall
"""

from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional

import tensorflow as tf

# Tensors by the names that the signature gives its inputs, and its outputs.
Tensors = Mapping[str, Any]
Call = Callable[[Tensors], Tensors]


# What the operations of a model raise for inputs that they do not take.
REJECTED = (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError)


class SignatureCall:
    """Calls a signature the short way, or as TensorFlow does where that is not possible."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self._short = short_call(function)

    def __call__(self, inputs: Tensors) -> Tensors:
        if self._short is not None:
            return self._short(inputs)
        return self._function(**inputs)  # type: ignore[no-any-return]

    def try_out(self, inputs: Tensors) -> None:
        """Call it once. If the short way fails, it is not taken from then on. Raises what TensorFlow's own raises."""
        try:
            self(inputs)
        except REJECTED:
            raise
        except Exception:
            self._short = None
            self(inputs)


def short_call(function: Any) -> Optional[Call]:
    """Return the short way to call it, None where its inputs and outputs are not as those of signatures are."""
    captured, types = list(function.captured_inputs), [output.dtype for output in function.outputs]
    names, outputs = input_names(function, len(captured)), output_names(function)
    if names is None or outputs is None or not all(tf.is_tensor(value) for value in captured):
        return None
    known_names, known_outputs = names, outputs

    def call(inputs: Tensors) -> Tensors:
        arguments = [inputs[name] for name in known_names]
        found = tf.raw_ops.StatefulPartitionedCall(args=arguments + captured, Tout=types, f=function)
        return dict(zip(known_outputs, found))

    return call


def input_names(function: Any, captured: int) -> Optional[List[str]]:
    """Return the names in the order of the graph's inputs, None if that is not sure."""
    positional, named = function.structured_input_signature or ((), {})
    tensors = function.inputs[: len(function.inputs) - captured]
    names = sorted(named)
    if positional or not names or len(tensors) != len(names):
        return None
    if types_of(tensors) != types_of(named[name] for name in names):
        return None
    # The graph has them in small letters, and by other names altogether where those are none that it allows.
    if len(names) > 1 and [tensor.op.name for tensor in tensors] != [name.lower() for name in names]:
        return None
    return names


def output_names(function: Any) -> Optional[List[str]]:
    """Return the names in the order of the graph's outputs, None if that is not sure."""
    named: Dict[str, Any] = function.structured_outputs
    if not isinstance(named, dict) or not named or len(named) != len(function.outputs):
        return None
    names = sorted(named)
    return names if types_of(named[name] for name in names) == types_of(function.outputs) else None


def types_of(tensors: Iterable[Any]) -> List[Any]:
    return [getattr(tensor, "dtype", None) for tensor in tensors]
