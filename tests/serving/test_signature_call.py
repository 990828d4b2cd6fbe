"""The short way to call a signature gives what TensorFlow's own gives, over models as they come."""

from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
import tensorflow as tf

from esteira.serving.signature_call import REJECTED, SignatureCall, short_call
from esteira.serving.tensorflow_model import reason_of

pytestmark = pytest.mark.slow

POINTS = np.arange(6, dtype=np.float32).reshape(2, 3)


class Lookup(tf.Module):
    """Variables, a table, inputs of one type in no order, an output that is an input, one that is there twice."""

    def __init__(self) -> None:
        super().__init__()
        known = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2])
        self.table = tf.lookup.StaticHashTable(known, -1)
        self.factor = tf.Variable(3)

    @tf.function
    def look_up(self, z: Any, B: Any, text_2: Any) -> Dict[str, Any]:
        found = self.table.lookup(z) * self.factor
        return {
            "z": z,
            "joined": tf.strings.join([z, B, text_2]),
            "Found": found,
            "again": found,
            "seven": tf.constant(7),
        }

    def signature(self) -> Any:
        specs = [tf.TensorSpec([None], tf.string, name) for name in ("z", "B", "text_2")]
        return self.look_up.get_concrete_function(*specs)


def save_lookup(folder: Path) -> None:
    lookup = Lookup()
    tf.saved_model.save(lookup, str(folder), signatures=lookup.signature())


def save_keras_model(folder: Path) -> None:
    zeta, alpha = (tf.keras.Input((3,), name=name) for name in ("zeta", "alpha"))
    outputs = [tf.keras.layers.Dense(2, name="out_b")(zeta), tf.keras.layers.Subtract(name="out_a")([zeta, alpha])]
    tf.keras.Model([zeta, alpha], outputs).save(str(folder))


def save_keras_text_model(folder: Path) -> None:
    text = tf.keras.Input((1,), dtype=tf.string, name="Text")
    layer = tf.keras.layers.TextVectorization(output_mode="multi_hot", vocabulary=["a", "b"])
    tf.keras.Model(text, tf.keras.layers.Dense(1)(layer(text))).save(str(folder))


def save_first_tensorflows_model(folder: Path) -> None:
    """Save it as TensorFlow 1 did: the graph's inputs have other names than the signature's, in another order."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        a, b = (tf.compat.v1.placeholder(tf.float32, [None], name) for name in ("a", "b"))
        factor = tf.compat.v1.get_variable("factor", initializer=2.0)
        session.run(tf.compat.v1.global_variables_initializer())
        inputs, outputs = {"one": b, "two": a}, {"y": a * factor - b, "x": a + b}
        tf.compat.v1.saved_model.simple_save(session, str(folder), inputs, outputs)


WORDS = {name: np.array([f"{name}1", "a"], dtype=object) for name in ("z", "B", "text_2")}
MODELS: Any = [
    (save_lookup, WORDS, True),
    (save_keras_model, {"zeta": POINTS, "alpha": -2 * POINTS}, True),
    (save_keras_text_model, {"Text": np.array([["a b"], ["c"]], dtype=object)}, True),
    (save_first_tensorflows_model, {"one": POINTS[0], "two": POINTS[1]}, False),
]


@pytest.mark.parametrize(("save", "inputs", "is_short"), MODELS)
def test_every_model_answers_as_called_by_tensorflow(tmp_path: Path, save: Any, inputs: Any, is_short: bool) -> None:
    save(tmp_path / "1")
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    function = loaded.signatures["serving_default"]
    tensors = {name: tf.constant(array) for name, array in inputs.items()}
    expected, found = function(**tensors), SignatureCall(function)(tensors)
    assert set(found) == set(expected)
    for name, tensor in found.items():
        assert (tensor.dtype, tensor.numpy().tolist()) == (expected[name].dtype, expected[name].numpy().tolist())
    assert (short_call(function) is not None) == is_short


def test_a_short_way_that_fails_is_not_taken_again() -> None:
    lookup = Lookup()
    call = SignatureCall(lookup.signature())
    tensors = {name: tf.constant(array) for name, array in WORDS.items()}

    def fail(inputs: Any) -> Any:
        raise tf.errors.UnimplementedError(None, None, "not here")

    call._short = fail
    call.try_out(tensors)
    assert call(tensors)["joined"].numpy().tolist() == [b"z1B1text_21", b"aaa"]


def test_inputs_that_the_model_rejects_are_told_as_by_tensorflow() -> None:
    @tf.function
    def divide(a: Any) -> Any:
        return {"one": 1 // a}

    function = divide.get_concrete_function(tf.TensorSpec([None], tf.int64, "a"))
    tensors = {"a": tf.constant([1, 0], tf.int64)}
    told = []
    for call in (SignatureCall(function).try_out, lambda inputs: function(**inputs)):
        with pytest.raises(REJECTED) as raised:
            call(tensors)
        told.append(reason_of(str(raised.value.message)))
    assert told[0] == told[1]
