"""From what Transform gives to what the network reads: the same code in training and in serving.

An n-gram's bucket is worked out in whole numbers, from its code points or from hashes of its words.
To build each n-gram as a string takes some ten times as long, and most of the time of a prediction.
"""

from typing import Dict, Mapping, Tuple, Union

import tensorflow as tf

from modules import features
from modules.text import tokenize

WORD_GRAMS = (1, 2)
CHARACTER_GRAMS = (3, 4, 5)

WORD_HASHES = (1 << 63) - 1
# Odd, so that a multiplication modulo 2^64 loses nothing; the first is 2^64 over the golden ratio,
# the second from MurmurHash3's finaliser.
STEP = 0x9E3779B97F4A7C15
MIXER = 0xFF51AFD7ED558CCD
HASH_BITS = 64


def network_inputs(
    transformed: Mapping[str, Union[tf.Tensor, tf.SparseTensor]],
) -> Dict[str, Union[tf.Tensor, tf.RaggedTensor]]:
    """Return tokens, ragged int64 [n, tokens]; grams of words and characters, see gram_buckets; text."""
    normalized = transformed[features.NORMALIZED]
    return {
        features.TOKENS: ragged_rows(transformed[features.TOKENS]),
        features.WORD_GRAMS: word_buckets(normalized),
        features.CHARACTER_GRAMS: character_buckets(normalized),
        features.TEXT: transformed[features.TEXT],
    }


def ragged_rows(sparse: tf.SparseTensor) -> tf.RaggedTensor:
    """Return the rows, each filled from the left, as Transform makes them: what tf.RaggedTensor.from_sparse asserts."""
    rows, count = sparse.indices[:, 0], sparse.dense_shape[0]
    return tf.RaggedTensor.from_value_rowids(sparse.values, rows, count, validate=False)


def word_buckets(normalized: tf.Tensor) -> tf.RaggedTensor:
    """Return the buckets of the words and pairs of words of texts [n]."""
    words = tokenize(normalized)
    hashes = tf.strings.to_hash_bucket_fast(words.flat_values, WORD_HASHES)
    return gram_buckets(hashes, words.value_rowids(), words.nrows(), WORD_GRAMS)


def character_buckets(normalized: tf.Tensor) -> tf.RaggedTensor:
    """Return the buckets of the n-grams of characters of texts [n], a space before and after each."""
    characters = tf.strings.unicode_decode(tf.strings.join([" ", normalized, " "]), "UTF-8")
    values, ends = characters.flat_values, characters.row_splits[1:]
    rows = tf.searchsorted(ends, tf.range(tf.size(values, tf.int64)), side="right", out_type=tf.int64)
    return gram_buckets(values, rows, characters.nrows(), CHARACTER_GRAMS)


def gram_buckets(values: tf.Tensor, rows: tf.Tensor, row_count: tf.Tensor, sizes: Tuple[int, ...]) -> tf.RaggedTensor:
    """Return the buckets of the n-grams that begin at each value, ragged int64 [row_count, values, sizes].

    `values` are whole numbers, each in the row that `rows` tells, in their order. What would reach
    beyond its row is NO_GRAM.
    """
    longest, nothing = max(sizes), tf.constant(features.NO_GRAM, tf.uint64)
    padding = [[0, longest - 1]]
    values, ends = tf.pad(tf.cast(values, tf.uint64), padding), tf.pad(rows, padding, constant_values=-1)
    hashed, grams = values, []
    for size in range(1, longest + 1):
        if size > 1:
            hashed = hashed[:-1] * tf.constant(STEP, tf.uint64) + values[size - 1 :]
        if size in sizes:
            last = size - longest or None
            grams.append(tf.where(tf.equal(ends[size - 1 : last], rows), hashed[:last], nothing))
    return tf.RaggedTensor.from_value_rowids(bucket(tf.stack(grams, axis=1)), rows, row_count, validate=False)


def bucket(hashes: tf.Tensor) -> tf.Tensor:
    """Return the bucket, int64, of each sum of products: mixed, since sums of like texts lie alike.

    That of NO_GRAM, 0, is NO_GRAM.
    """
    mixed = tf.bitwise.bitwise_xor(hashes, tf.bitwise.right_shift(hashes, tf.constant(32, tf.uint64)))
    mixed *= tf.constant(MIXER, tf.uint64)
    high = tf.constant(HASH_BITS - features.GRAM_BUCKET_BITS, tf.uint64)
    return tf.cast(tf.bitwise.right_shift(mixed, high), tf.int64)
