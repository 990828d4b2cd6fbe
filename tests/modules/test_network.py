"""The network's parts on small tensors."""

import numpy as np
import tensorflow as tf

from modules import features
from modules.encoder import AttentionEncoder
from modules.inputs import gram_buckets
from modules.network import Classifier
from modules.training import weigh_classes, weigh_grams

WORDS = 5


def make_network() -> Classifier:
    tf.keras.utils.set_random_seed(1)
    encoder = AttentionEncoder(WORDS, units=8, heads=2, dropout=0.1, token_dropout=0.1)
    return Classifier(encoder, np.ones(features.GRAM_BUCKETS), classes=3)


def make_inputs(*rows: list) -> dict:
    return {
        features.TOKENS: tf.ragged.constant(rows, tf.int64, ragged_rank=1),
        features.GRAMS: tf.ragged.constant(rows, tf.int64, ragged_rank=1),
    }


def test_an_empty_text_has_finite_logits() -> None:
    assert np.isfinite(make_network()(make_inputs([], [])).numpy()).all()
    assert make_network()(make_inputs([])).shape == (1, 3)


def test_padding_changes_no_answer() -> None:
    network = make_network()
    alone = network(make_inputs([2, 3])).numpy()
    beside_a_longer_one = network(make_inputs([2, 3], [4, 4, 5, 6, 6])).numpy()
    np.testing.assert_allclose(alone[0], beside_a_longer_one[0], rtol=1e-5)


def test_word_and_letters_fall_into_different_buckets() -> None:
    buckets = gram_buckets(tf.constant(["the", ""]))
    # The word, and " th", "the", "he ", " the", "the ", " the ".
    assert len(set(buckets[0].numpy().tolist())) == 7
    assert buckets[1].shape == (0,)


def test_rare_classes_weigh_more_and_the_mean_is_one() -> None:
    weights = weigh_classes(np.array([0] * 9 + [1]), classes=2)
    assert weights[1] / weights[0] == np.sqrt(9)
    assert np.isclose((9 * weights[0] + weights[1]) / 10, 1)


def test_what_one_row_alone_holds_weighs_nothing() -> None:
    weights = weigh_grams(tf.ragged.constant([[7, 7, 8], [8]], tf.int64))
    assert weights[7] == 0
    assert weights[8] == 1
