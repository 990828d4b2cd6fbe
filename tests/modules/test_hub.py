"""A hub encoder: a small SavedModel that is made here."""

from pathlib import Path

import pytest
import tensorflow as tf

from modules import features
from modules.hub import HubEncoder, HubEncoderError, load_encoder


class LengthEncoder(tf.Module):
    """Texts to (their length, 1)."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, text: tf.Tensor) -> tf.Tensor:
        length = tf.cast(tf.strings.length(text), tf.float32)
        return tf.stack([length, tf.ones_like(length)], axis=1)


class ScalarEncoder(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, text: tf.Tensor) -> tf.Tensor:
        return tf.strings.length(text)


def test_a_saved_model_encodes_texts(tmp_path: Path) -> None:
    tf.saved_model.save(LengthEncoder(), str(tmp_path / "encoder"))
    encoder = HubEncoder(str(tmp_path / "encoder"), dropout=0.5)
    encoded = encoder({features.TEXT: tf.constant(["ab", ""])}, training=False)
    assert encoded.numpy().tolist() == [[2.0, 1.0], [0.0, 1.0]]


def test_a_missing_saved_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(HubEncoderError, match="training.hub_module .*nothing.* cannot be loaded"):
        load_encoder(str(tmp_path / "nothing"))


def test_an_address_that_cannot_be_fetched_is_named() -> None:
    with pytest.raises(HubEncoderError, match="https://127.0.0.1:9/encoder.* cannot be loaded"):
        load_encoder("https://127.0.0.1:9/encoder")


def test_an_encoder_without_vectors_is_refused(tmp_path: Path) -> None:
    tf.saved_model.save(ScalarEncoder(), str(tmp_path / "encoder"))
    with pytest.raises(HubEncoderError, match="expected one vector for each text"):
        load_encoder(str(tmp_path / "encoder"))
