"""The classifier: an encoder that reads the text, beside a linear path over its n-grams."""

from typing import Any, Mapping

import tensorflow as tf

from modules import features
from modules.encoder import AttentionEncoder


class Classifier(tf.keras.Model):
    """Features of Transform to logits [n, classes]."""

    def __init__(self, classes: int, vocabulary_size: int, hyperparameters: Mapping[str, Any]) -> None:
        super().__init__()
        self.encoder = AttentionEncoder(
            vocabulary_size,
            hyperparameters["units"],
            hyperparameters["heads"],
            hyperparameters["dropout"],
        )
        self.dropout = tf.keras.layers.Dropout(hyperparameters["dropout"])
        self.deep = tf.keras.layers.Dense(classes)
        self.wide = self.add_weight("wide", (features.GRAM_BUCKETS, classes), initializer="zeros")

    def call(self, inputs: dict, training: bool = False) -> tf.Tensor:
        encoded = self.dropout(self.encoder(inputs, training=training), training=training)
        grams = inputs[features.GRAMS]
        wide = tf.nn.safe_embedding_lookup_sparse(self.wide, grams, combiner="sqrtn")
        return self.deep(encoded) + wide
