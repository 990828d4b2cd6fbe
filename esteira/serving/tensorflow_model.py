"""A SavedModel in TensorFlow. Importing this module imports TensorFlow."""

import contextlib
import importlib
import os
import re
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from esteira.errors import ServingError
from esteira.serving.refusal import Refusal
from esteira.serving.scalars import SCALAR_TYPES
from esteira.serving.signature import DEFAULT_SIGNATURE, Arrays, Shape, Signature, TensorSpec
from esteira.serving.signature_call import REJECTED, SignatureCall, Tensors

# What tf.saved_model.save writes into the signatures for its own use.
INTERNAL_PREFIX = "__saved_model"
WARM_UP_SIZE = 1
# TensorFlow's own words before and behind the reason of an operation.
AROUND = re.compile(r"^(\{\{function_node [^}]*\}\}\s*)+|\s*\[Op:\w+\]( name:)?$")
AGAIN = "Train and push it again: make deploy-full"


class TensorFlowModel:
    """A loaded SavedModel: its signatures, and a way to run each."""

    def __init__(self, model_dir: Path) -> None:
        """Raises ServingError if TensorFlow cannot load the folder or it has no serving_default."""
        limit_threads()
        self.signatures = read_signatures(model_dir)
        if DEFAULT_SIGNATURE not in self.signatures:
            found = ", ".join(sorted(self.signatures)) or "none"
            raise ServingError(
                f"{model_dir}: the SavedModel has no signature {DEFAULT_SIGNATURE}; it has: {found}.\n"
                f"Expected one that takes text: name it in the signatures= of tf.saved_model.save."
            )
        register_text_operations()
        try:
            # Held for as long as its functions are used: they refer to its variables weakly.
            self._loaded: Any = tf.saved_model.load(str(model_dir))
        except Exception as error:
            raise ServingError(
                f"{model_dir}: TensorFlow {tf.__version__} cannot load the SavedModel: {error}\n{AGAIN}"
            ) from error
        self._calls = {name: SignatureCall(self._loaded.signatures[name]) for name in self.signatures}

    def run(self, signature: str, arrays: Arrays) -> Arrays:
        """Return the signature's outputs. Raises Refusal (400) for inputs that the model rejects."""
        try:
            outputs = self._calls[signature](tensors_of(arrays))
        except REJECTED as error:
            raise Refusal(400, f"the model rejects the inputs: {reason_of(error.message)}") from error
        return {name: outputs[name].numpy() for name in sorted(outputs)}

    def warm_up(self) -> None:
        """Run every signature once, so that the first request is not the one that waits."""
        for signature in self.signatures.values():
            arrays = example_inputs(signature)
            if arrays is not None:
                # An empty string is no serialized Example; the graph is ready all the same.
                with contextlib.suppress(*REJECTED):
                    self._calls[signature.name].try_out(tensors_of(arrays))


def tensors_of(arrays: Arrays) -> Tensors:
    return {name: tf.constant(array) for name, array in arrays.items()}


def register_text_operations() -> None:
    """Make the operations of tensorflow_text known, if it is installed: multilingual encoders use them."""
    with contextlib.suppress(ImportError):
        importlib.import_module("tensorflow_text")


def limit_threads() -> None:
    """Leave one processor to the event loop; one batch runs at a time, so its operators need no pool."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    tf.config.threading.set_intra_op_parallelism_threads(max(1, processors - 1))
    tf.config.threading.set_inter_op_parallelism_threads(1)


def read_signatures(model_dir: Path) -> Dict[str, Signature]:
    """Return the signatures of the graph that is tagged for serving."""
    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString((model_dir / "saved_model.pb").read_bytes())
    except Exception as error:
        raise ServingError(f"{model_dir}/saved_model.pb: is damaged: {error}\n{AGAIN}") from error
    for graph in saved.meta_graphs:
        if tf.saved_model.SERVING in graph.meta_info_def.tags:
            return {
                name: read_signature(name, definition)
                for name, definition in graph.signature_def.items()
                if not name.startswith(INTERNAL_PREFIX)
            }
    raise ServingError(f"{model_dir}: the SavedModel has no graph for serving.\n{AGAIN}")


def read_signature(name: str, definition: meta_graph_pb2.SignatureDef) -> Signature:
    return Signature(
        name=name,
        inputs=tuple(read_tensor_info(key, definition.inputs[key]) for key in sorted(definition.inputs)),
        outputs=tuple(read_tensor_info(key, definition.outputs[key]) for key in sorted(definition.outputs)),
        method_name=definition.method_name,
    )


def read_tensor_info(name: str, info: meta_graph_pb2.TensorInfo) -> TensorSpec:
    shape: Shape = None
    if not info.tensor_shape.unknown_rank:
        shape = tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim)
    return TensorSpec(name, types_pb2.DataType.Name(info.dtype), shape, info.name)


def example_inputs(signature: Signature) -> Optional[Arrays]:
    """Return one row of empty values, None where JSON could not carry the dtype either."""
    arrays: Arrays = {}
    for tensor in signature.inputs:
        scalar = SCALAR_TYPES.get(tensor.dtype)
        if scalar is None or tensor.shape is None:
            return None
        sizes = [WARM_UP_SIZE if size is None else size for size in tensor.shape]
        empty = b"" if tensor.dtype == "DT_STRING" else 0
        arrays[tensor.name] = np.full(sizes, empty, dtype=scalar.numpy_dtype)
    return arrays


def reason_of(message: str) -> str:
    """Return the line that says why, without the graph's nodes and the operation around it."""
    lines = [AROUND.sub("", line.strip()) for line in message.splitlines()]
    graph = ("[[", "Graph execution", "Detected at")
    telling = [line for line in lines if line and not line.startswith(graph)]
    return telling[-1] if telling else "no reason given"
