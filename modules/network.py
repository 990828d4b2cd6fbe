"""The classifier: an encoder that reads the text, beside a linear path over its n-grams.

On small data each alone does worse. They are trained side by side, each with a loss of its own,
so that neither leaves the work to the other; their mean answers.
"""

from typing import Any, Dict, Mapping, Sequence, Tuple

import numpy as np
import tensorflow as tf

from modules import features
from modules.encoder import AttentionEncoder
from modules.hub import HubEncoder

# Rows of n-grams have length 1: this makes one step of the optimizer count for them as for the encoder.
WIDE_SCALE = 10.0


class Classifier(tf.keras.Model):
    """The inputs of `network_inputs` to logits [n, classes]."""

    def __init__(self, encoder: tf.keras.layers.Layer, gram_weights: Sequence[float], classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.deep = tf.keras.layers.Dense(classes)
        self.wide = WideLayer(gram_weights, classes)
        self.mean_loss = tf.keras.metrics.Mean(name="training_loss")

    def heads(self, inputs: Mapping[str, Any], training: bool) -> Tuple[tf.Tensor, tf.Tensor]:
        """Return the logits of the encoder and of the n-grams, each [n, classes]."""
        return self.deep(self.encoder(inputs, training=training)), self.wide([inputs[name] for name in features.GRAMS])

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> tf.Tensor:
        deep, wide = self.heads(inputs, training)
        return (tf.nn.log_softmax(deep) + tf.nn.log_softmax(wide)) / 2

    def train_step(self, data: Any) -> Dict[str, tf.Tensor]:
        inputs, label, weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            heads = self.heads(inputs, training=True)
            losses = [tf.keras.losses.sparse_categorical_crossentropy(label, head, True) for head in heads]
            loss = tf.add_n([tf.reduce_mean(one if weight is None else one * weight) for one in losses])
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        self.mean_loss.update_state(loss)
        return {self.mean_loss.name: self.mean_loss.result()}

    def test_step(self, data: Any) -> Dict[str, tf.Tensor]:
        results = super().test_step(data)
        results.pop(self.mean_loss.name)
        return results


class WideLayer(tf.keras.layers.Layer):
    """Logistic regression over the buckets of n-grams, each weighted, each row of length 1."""

    def __init__(self, gram_weights: Sequence[float], classes: int) -> None:
        super().__init__()
        # Of each bucket what it says for each class, then its weight: one look-up finds both.
        self.table = self.add_weight(
            "table",
            (features.GRAM_BUCKETS, classes + 1),
            initializer=tf.constant_initializer(wide_table(gram_weights, classes)),
        )
        self.bias = self.add_weight("bias", (classes,), initializer="zeros")

    def call(self, grams: Sequence[tf.RaggedTensor]) -> tf.Tensor:
        sums = tf.add_n([self.sum_rows(part) for part in grams])
        squares = tf.stop_gradient(sums[:, -1:])
        return sums[:, :-1] * (WIDE_SCALE * tf.math.rsqrt(tf.maximum(squares, 1e-12))) + self.bias

    def sum_rows(self, grams: tf.RaggedTensor) -> tf.Tensor:
        """Return [n, classes + 1]: what the buckets of each row say, weighted, and the squares of their weights."""
        found = tf.gather(self.table, grams.values)
        # Nothing is learned of the weights: their column gets no gradient, here nor by the squares.
        weighted = found * tf.stop_gradient(found[..., -1:])
        _, sizes, columns = weighted.shape
        # The sizes of n-grams side by side: a third of the additions into rows.
        side_by_side = tf.reshape(weighted, [-1, sizes * columns])
        sums = tf.math.unsorted_segment_sum(side_by_side, grams.value_rowids(), grams.nrows())
        return tf.reduce_sum(tf.reshape(sums, [-1, sizes, columns]), axis=1)


def wide_table(gram_weights: Sequence[float], classes: int) -> np.ndarray:
    """Return float [buckets, classes + 1]: nothing learned yet, and the weights."""
    weights = np.asarray(gram_weights, np.float32)[:, np.newaxis]
    return np.pad(weights, [(0, 0), (classes, 0)])


def create_encoder(
    settings: Mapping[str, Any], hyperparameters: Mapping[str, Any], vocabulary_size: int
) -> tf.keras.layers.Layer:
    """Return the encoder that [training] chooses. Raises HubEncoderError if it cannot be loaded."""
    if settings["encoder"] == "hub":
        return HubEncoder(settings["hub_module"], hyperparameters["dropout"])
    return AttentionEncoder(
        vocabulary_size,
        units=hyperparameters["units"],
        heads=hyperparameters["heads"],
        dropout=hyperparameters["dropout"],
        token_dropout=hyperparameters["token_dropout"],
    )
