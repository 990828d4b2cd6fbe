"""What tf.Transform does to an example, in training and, as part of the model, in serving."""

from typing import Dict, Union

import tensorflow as tf
import tensorflow_transform as tft

from modules import features
from modules.text import normalize, tokenize

Feature = Union[tf.Tensor, tf.SparseTensor]


def preprocessing_fn(inputs: Dict[str, Feature]) -> Dict[str, Feature]:
    """Return the features that the model reads, and the columns that pass through.

    tokens: ids of the first MAX_TOKENS words, from 1, sparse int64 [n, tokens]; GRAMS: buckets
    of n-grams, sparse int64 [n, grams]; text and label: strings [n].
    """
    text = dense_strings(inputs[features.TEXT])
    normalized = normalize(text)
    tokens = tokenize(normalized)
    return {
        features.TOKENS: token_ids(tokens),
        features.GRAMS: gram_buckets(normalized, tokens),
        features.TEXT: text,
        features.LABEL: dense_strings(inputs[features.LABEL]),
    }


def dense_strings(feature: Feature) -> tf.Tensor:
    """Return the one string of each row [n]; a missing one is empty."""
    if isinstance(feature, tf.SparseTensor):
        shape = tf.stack([feature.dense_shape[0], tf.constant(1, tf.int64)])
        feature = tf.sparse.to_dense(tf.SparseTensor(feature.indices, feature.values, shape), "")
    return tf.reshape(feature, [-1])


def token_ids(tokens: tf.RaggedTensor) -> tf.SparseTensor:
    """Return ids from 1 on; words outside the vocabulary share the first, 0 is left for padding."""
    ids = tft.compute_and_apply_vocabulary(
        tokens[:, : features.MAX_TOKENS].to_sparse(),
        top_k=features.VOCABULARY_SIZE,
        frequency_threshold=2,
        num_oov_buckets=1,
        vocab_filename=features.VOCABULARY_NAME,
    )
    return tf.SparseTensor(ids.indices, ids.values + 1, ids.dense_shape)


def gram_buckets(normalized: tf.Tensor, tokens: tf.RaggedTensor) -> tf.SparseTensor:
    """Return hashed word n-grams (1 to 2) and character n-grams (3 to 5)."""
    characters = tf.strings.unicode_split(tf.strings.join([" ", normalized, " "]), "UTF-8")
    words = tf.strings.ngrams(tokens, (1, 2), separator=" ")
    parts = tf.strings.ngrams(characters, (3, 4, 5), separator="")
    # A prefix keeps the word "the" and its letters apart.
    grams = tf.concat([tf.strings.join(["w:", words]), tf.strings.join(["c:", parts])], axis=1)
    buckets = tf.strings.to_hash_bucket_fast(grams, features.GRAM_BUCKETS)
    return buckets.to_sparse()
