"""Encoders of a text: self-attention over learned embeddings, or a SavedModel."""

import tensorflow as tf

from modules import features


class AttentionEncoder(tf.keras.layers.Layer):
    """Token and position embeddings, one block of self-attention, then pooling: [n, 2 * units]."""

    def __init__(self, vocabulary_size: int, units: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.tokens = tf.keras.layers.Embedding(vocabulary_size, units)
        self.positions = tf.keras.layers.Embedding(features.MAX_TOKENS, units)
        self.attention = tf.keras.layers.MultiHeadAttention(heads, units // heads, dropout=dropout)
        self.attention_norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.inner = tf.keras.layers.Dense(2 * units, activation="relu")
        self.outer = tf.keras.layers.Dense(units)
        self.outer_norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, inputs: dict, training: bool = False) -> tf.Tensor:
        ids = pad_tokens(inputs[features.TOKENS])
        mask = ids > 0
        length = tf.shape(ids)[1]
        hidden = self.tokens(ids) + self.positions(tf.range(length))
        hidden = self.dropout(hidden, training=training)
        attended = self.attention(hidden, hidden, attention_mask=mask[:, tf.newaxis, :], training=training)
        hidden = self.attention_norm(hidden + self.dropout(attended, training=training))
        inner = self.outer(self.inner(hidden))
        hidden = self.outer_norm(hidden + self.dropout(inner, training=training))
        return tf.concat([masked_mean(hidden, mask), masked_max(hidden, mask)], axis=1)


def pad_tokens(tokens: tf.SparseTensor) -> tf.Tensor:
    """Return ids [n, t] with 1 <= t <= MAX_TOKENS, filled with 0; an empty text is one padding."""
    length = tf.clip_by_value(tokens.dense_shape[1], 1, features.MAX_TOKENS)
    shape = tf.stack([tokens.dense_shape[0], tf.maximum(tokens.dense_shape[1], 1)])
    dense = tf.sparse.to_dense(tf.SparseTensor(tokens.indices, tokens.values, shape))
    return dense[:, :length]


def masked_mean(hidden: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    weights = tf.cast(mask, hidden.dtype)[:, :, tf.newaxis]
    return tf.reduce_sum(hidden * weights, axis=1) / tf.maximum(tf.reduce_sum(weights, axis=1), 1.0)


def masked_max(hidden: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    lowest = tf.where(mask[:, :, tf.newaxis], hidden, -1e9)
    present = tf.reduce_any(mask, axis=1, keepdims=True)
    return tf.where(present, tf.reduce_max(lowest, axis=1), 0.0)
