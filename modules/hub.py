"""An encoder that somebody else trained: a SavedModel by path or URL."""

import contextlib
import importlib
from typing import Any, Mapping

import tensorflow as tf

from modules import features


class HubEncoderError(RuntimeError):
    """The SavedModel that training.hub_module names cannot be used."""


class HubEncoder(tf.keras.layers.Layer):
    """Texts to the embeddings of a SavedModel, which stays as it is: float [n, d].

    It is loaded, and from a URL fetched, when the layer is made, never at import.
    """

    def __init__(self, handle: str, dropout: float) -> None:
        super().__init__()
        self.encoder = load_encoder(handle)
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> tf.Tensor:
        return self.dropout(self.encoder(inputs[features.TEXT]), training=training)


def load_encoder(handle: str) -> Any:
    """Return the SavedModel as a function of strings [n].

    Raises HubEncoderError if it cannot be fetched or read, or takes no strings.
    """
    import tensorflow_hub

    register_text_operations()
    try:
        encoder = tensorflow_hub.load(handle)
        shape = encoder(tf.constant(["a text"])).shape
    except Exception as error:  # What goes wrong is up to the network, the file and its operations.
        raise HubEncoderError(explain_failure(handle, error)) from error
    if len(shape) != 2:
        raise HubEncoderError(
            f'training.hub_module "{handle}" gives {shape} for one text; expected one vector for each text.'
        )
    return encoder


def register_text_operations() -> None:
    """Make the operations of tensorflow_text known, if it is installed: multilingual encoders use them."""
    with contextlib.suppress(ImportError):
        importlib.import_module("tensorflow_text")


def explain_failure(handle: str, error: Exception) -> str:
    message = str(error).strip().splitlines() or [type(error).__name__]
    if "Op type not registered" in str(error):
        return (
            f'training.hub_module "{handle}" needs operations that are not installed: {message[0]}\n'
            "Add tensorflow-text==2.13.0 to requirements.in and run: make lock"
        )
    return (
        f'training.hub_module "{handle}" cannot be loaded: {message[0]}\n'
        "Expected the path or URL of a SavedModel that takes a batch of strings and returns vectors."
    )
