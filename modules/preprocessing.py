"""What tf.Transform does to an example, in training and, as part of the model, in serving."""

from typing import Dict, Union

import tensorflow as tf
import tensorflow_transform as tft

from modules import features
from modules.text import normalize, tokenize

Feature = Union[tf.Tensor, tf.SparseTensor]


def preprocessing_fn(inputs: Dict[str, Feature]) -> Dict[str, Feature]:
    """Return the features that the model reads, and the label.

    tokens: ids of the first MAX_TOKENS words, sparse int64 [n, tokens]; text, normalized
    and label: strings [n].
    """
    text = dense_strings(inputs[features.TEXT])
    normalized = normalize(text)
    return {
        features.TOKENS: token_ids(tokenize(normalized)),
        features.NORMALIZED: normalized,
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
    """Return the ids of words that occur twice at least in the training split; see features."""
    ids = tft.compute_and_apply_vocabulary(
        tokens[:, : features.MAX_TOKENS].to_sparse(),
        top_k=features.VOCABULARY_SIZE,
        frequency_threshold=2,
        default_value=features.UNKNOWN_ID - features.FIRST_WORD_ID,
        vocab_filename=features.VOCABULARY_NAME,
    )
    return tf.SparseTensor(ids.indices, ids.values + features.FIRST_WORD_ID, ids.dense_shape)
