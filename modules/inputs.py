"""From what Transform gives to what the network reads: the same code in training and in serving."""

from typing import Dict, Mapping, Union

import tensorflow as tf

from modules import features
from modules.text import tokenize

WORD_GRAMS = (1, 2)
CHARACTER_GRAMS = (3, 4, 5)


def network_inputs(
    transformed: Mapping[str, Union[tf.Tensor, tf.SparseTensor]]
) -> Dict[str, Union[tf.Tensor, tf.RaggedTensor]]:
    """Return tokens, ragged int64 [n, tokens]; grams, ragged int64 [n, grams]; text, string [n]."""
    return {
        features.TOKENS: tf.RaggedTensor.from_sparse(transformed[features.TOKENS]),
        features.GRAMS: gram_buckets(transformed[features.NORMALIZED]),
        features.TEXT: transformed[features.TEXT],
    }


def gram_buckets(normalized: tf.Tensor) -> tf.RaggedTensor:
    """Return the buckets that the word and character n-grams of texts [n] are hashed into."""
    words = tf.strings.ngrams(tokenize(normalized), WORD_GRAMS, separator=" ")
    characters = tf.strings.unicode_split(tf.strings.join([" ", normalized, " "]), "UTF-8")
    parts = tf.strings.ngrams(characters, CHARACTER_GRAMS, separator="")
    # The prefixes keep the word "the" and the same letters within a word apart.
    grams = tf.concat([tf.strings.join(["w:", words]), tf.strings.join(["c:", parts])], axis=1)
    return tf.strings.to_hash_bucket_fast(grams, features.GRAM_BUCKETS)
