"""The encoder that is trained here: self-attention over learned embeddings.

Tokens of all rows lie one after the other, without padding, save where each looks at the others of
its row: rows differ much in length, and most of a padded batch would be padding.
"""

from typing import Any, Mapping

import tensorflow as tf

from modules import features

Inputs = Mapping[str, Any]


class AttentionEncoder(tf.keras.layers.Layer):
    """Token and position embeddings, a block of self-attention, then pooling: float [n, 2 * units]."""

    def __init__(self, vocabulary_size: int, *, units: int, heads: int, dropout: float, token_dropout: float) -> None:
        super().__init__()
        layers = tf.keras.layers
        self.token_dropout = token_dropout
        self.tokens = layers.Embedding(vocabulary_size + features.FIRST_WORD_ID, units)
        self.positions = layers.Embedding(features.MAX_TOKENS, units)
        self.attention = RaggedAttention(units, heads, dropout)
        self.attention_norm = layers.LayerNormalization(epsilon=1e-6)
        self.inner = layers.Dense(2 * units, activation="relu")
        self.outer = layers.Dense(units)
        self.outer_norm = layers.LayerNormalization(epsilon=1e-6)
        self.dropout = layers.Dropout(dropout)

    def call(self, inputs: Inputs, training: bool = False) -> tf.Tensor:
        tokens = inputs[features.TOKENS]
        ids = self.forget_tokens(tokens.values) if training else tokens.values
        hidden = self.tokens(ids) + self.positions(tf.ragged.range(tokens.row_lengths()).values)
        hidden = self.dropout(hidden, training=training)
        attended = self.attention(tokens.with_values(hidden), training=training)
        hidden = self.attention_norm(hidden + self.dropout(attended, training=training))
        transformed = self.outer(self.inner(hidden))
        hidden = self.outer_norm(hidden + self.dropout(transformed, training=training))
        return self.dropout(pool(tokens.with_values(hidden)), training=training)

    def forget_tokens(self, ids: tf.Tensor) -> tf.Tensor:
        """Return the ids with some words made unknown, so that no single one is relied on."""
        chosen = tf.random.uniform(tf.shape(ids)) < self.token_dropout
        return tf.where(chosen, tf.cast(features.UNKNOWN_ID, ids.dtype), ids)


class RaggedAttention(tf.keras.layers.Layer):
    """Self-attention of several heads within each row: ragged [n, tokens, units] to its values [m, units]."""

    def __init__(self, units: int, heads: int, dropout: float) -> None:
        # Weights are named and shaped as those of Keras' layer of this name, which takes padded rows.
        super().__init__(name="multi_head_attention")
        self.size = units // heads
        self.query, self.key, self.value = (
            tf.keras.layers.EinsumDense("mu,uhs->mhs", (heads, self.size), bias_axes="hs", name=name)
            for name in ("query", "key", "value")
        )
        self.joined = tf.keras.layers.EinsumDense("mhs,hsu->mu", (units,), bias_axes="u", name="attention_output")
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, hidden: tf.RaggedTensor, training: bool = False) -> tf.Tensor:
        values = hidden.values
        query = self.query(values) * self.size**-0.5
        projected = hidden.with_values(tf.stack([query, self.key(values), self.value(values)], axis=1))
        # [3, n, heads, tokens, size]
        query, key, value = tf.unstack(tf.transpose(projected.to_tensor(), [2, 0, 3, 1, 4]))
        present = tf.sequence_mask(hidden.row_lengths(), tf.shape(query)[2])
        unseen = tf.where(present, 0.0, -1e9)[:, tf.newaxis, tf.newaxis, :]
        weights = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) + unseen)
        seen = tf.matmul(self.dropout(weights, training=training), value)
        return self.joined(tf.boolean_mask(tf.transpose(seen, [0, 2, 1, 3]), present))


def pool(hidden: tf.RaggedTensor) -> tf.Tensor:
    """Return the mean and the maximum of each row's values [m, units], 0 where it has none: [n, 2 * units]."""
    rows, count = hidden.value_rowids(), hidden.nrows()
    lengths = hidden.row_lengths()[:, tf.newaxis]
    mean = tf.math.unsorted_segment_sum(hidden.values, rows, count) / tf.cast(tf.maximum(lengths, 1), hidden.dtype)
    highest = tf.math.unsorted_segment_max(hidden.values, rows, count)
    return tf.concat([mean, tf.where(lengths > 0, highest, 0.0)], axis=1)
