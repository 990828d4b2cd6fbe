"""The encoder that is trained here: self-attention over learned embeddings."""

from typing import Any, Mapping

import tensorflow as tf

from modules import features

Inputs = Mapping[str, Any]


class AttentionEncoder(tf.keras.layers.Layer):
    """Token and position embeddings, a block of self-attention, then pooling: float [n, 2 * units]."""

    def __init__(
        self, vocabulary_size: int, *, units: int, heads: int, dropout: float, token_dropout: float
    ) -> None:
        super().__init__()
        layers = tf.keras.layers
        self.token_dropout = token_dropout
        self.tokens = layers.Embedding(vocabulary_size + features.FIRST_WORD_ID, units)
        self.positions = layers.Embedding(features.MAX_TOKENS, units)
        self.attention = layers.MultiHeadAttention(heads, units // heads, dropout=dropout)
        self.attention_norm = layers.LayerNormalization(epsilon=1e-6)
        self.inner = layers.Dense(2 * units, activation="relu")
        self.outer = layers.Dense(units)
        self.outer_norm = layers.LayerNormalization(epsilon=1e-6)
        self.dropout = layers.Dropout(dropout)

    def call(self, inputs: Inputs, training: bool = False) -> tf.Tensor:
        ids = pad_tokens(inputs[features.TOKENS])
        mask = ids > 0
        if training:
            ids = self.forget_tokens(ids, mask)
        hidden = self.tokens(ids) + self.positions(tf.range(tf.shape(ids)[1]))
        hidden = self.dropout(hidden, training=training)
        attended = self.attention(hidden, hidden, attention_mask=mask[:, tf.newaxis, :], training=training)
        hidden = self.attention_norm(hidden + self.dropout(attended, training=training))
        transformed = self.outer(self.inner(hidden))
        hidden = self.outer_norm(hidden + self.dropout(transformed, training=training))
        pooled = tf.concat([masked_mean(hidden, mask), masked_max(hidden, mask)], axis=1)
        return self.dropout(pooled, training=training)

    def forget_tokens(self, ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """Return the ids with some words made unknown, so that no single one is relied on."""
        chosen = tf.logical_and(mask, tf.random.uniform(tf.shape(ids)) < self.token_dropout)
        return tf.where(chosen, tf.cast(features.UNKNOWN_ID, ids.dtype), ids)


def pad_tokens(tokens: tf.RaggedTensor) -> tf.Tensor:
    """Return ids [n, t], t at least 1, filled with 0; an empty text is padding alone."""
    ids = tokens.to_tensor()
    missing = tf.maximum(1 - tf.shape(ids)[1], 0)
    return tf.pad(ids, [[0, 0], [0, missing]])


def masked_mean(hidden: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    weights = tf.cast(mask, hidden.dtype)[:, :, tf.newaxis]
    return tf.reduce_sum(hidden * weights, axis=1) / tf.maximum(tf.reduce_sum(weights, axis=1), 1.0)


def masked_max(hidden: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    highest = tf.reduce_max(tf.where(mask[:, :, tf.newaxis], hidden, -1e9), axis=1)
    return tf.where(tf.reduce_any(mask, axis=1, keepdims=True), highest, 0.0)
