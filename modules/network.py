"""The classifier: an encoder that reads the text, beside a linear path over its n-grams.

On small data each alone does worse. They are trained side by side, each with a loss of its own,
so that neither leaves the work to the other; their mean answers.
"""

from typing import Any, Dict, Mapping, Sequence, Tuple

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
        return self.deep(self.encoder(inputs, training=training)), self.wide(inputs[features.GRAMS])

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
        self.gram_weights = self.add_weight(
            "gram_weights",
            (features.GRAM_BUCKETS,),
            initializer=tf.constant_initializer(gram_weights),
            trainable=False,
        )
        self.kernel = self.add_weight("kernel", (features.GRAM_BUCKETS, classes), initializer="zeros")
        self.bias = self.add_weight("bias", (classes,), initializer="zeros")

    def call(self, grams: tf.RaggedTensor) -> tf.Tensor:
        rows, buckets, count = grams.value_rowids(), grams.flat_values, grams.nrows()
        weights = tf.gather(self.gram_weights, buckets)
        squares = tf.math.unsorted_segment_sum(tf.square(weights), rows, count)
        scales = WIDE_SCALE * tf.math.rsqrt(tf.maximum(squares, 1e-12))
        values = tf.gather(self.kernel, buckets) * (weights * tf.gather(scales, rows))[:, tf.newaxis]
        return tf.math.unsorted_segment_sum(values, rows, count) + self.bias


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
