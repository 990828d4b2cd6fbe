"""The network's parts on small tensors."""

from typing import Callable, List

import numpy as np
import pytest
import tensorflow as tf

from modules import features
from modules.encoder import AttentionEncoder
from modules.inputs import character_buckets, ragged_rows, word_buckets
from modules.network import Classifier
from modules.training import weigh_classes, weigh_grams

WORDS = 5


def make_network() -> Classifier:
    tf.keras.utils.set_random_seed(1)
    encoder = AttentionEncoder(WORDS, units=8, heads=2, dropout=0.1, token_dropout=0.1)
    return Classifier(encoder, np.ones(features.GRAM_BUCKETS), classes=3)


def make_inputs(*rows: list) -> dict:
    grams = {name: make_grams(*rows) for name in features.GRAMS}
    return {features.TOKENS: tf.ragged.constant(rows, tf.int64, ragged_rank=1), **grams}


def make_grams(*rows: list) -> tf.RaggedTensor:
    """Return rows of buckets of n-grams of one size."""
    return tf.expand_dims(tf.ragged.constant(rows, tf.int64, ragged_rank=1), axis=2)


def grams_of(row: tf.RaggedTensor) -> List[int]:
    return [bucket for bucket in np.ravel(row.numpy()) if bucket != features.NO_GRAM]


def test_an_empty_text_has_finite_logits() -> None:
    assert np.isfinite(make_network()(make_inputs([], [])).numpy()).all()
    assert make_network()(make_inputs([])).shape == (1, 3)


def test_padding_changes_no_answer() -> None:
    network = make_network()
    alone = network(make_inputs([2, 3])).numpy()
    beside_a_longer_one = network(make_inputs([2, 3], [4, 4, 5, 6, 6])).numpy()
    np.testing.assert_allclose(alone[0], beside_a_longer_one[0], rtol=1e-5)


def test_a_row_that_is_empty_beside_others_has_the_answer_that_it_has_alone() -> None:
    network = make_network()
    np.testing.assert_allclose(network(make_inputs([2, 3], []))[1], network(make_inputs([]))[0], rtol=1e-5)


def test_training_leaves_the_weights_of_grams_as_they_are() -> None:
    network = make_network()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(make_inputs([2, 3], [3, 4]), training=True)[:, 0])
    gradient = tf.convert_to_tensor(tape.gradient(loss, network.wide.table)).numpy()
    assert gradient[3, :-1].all()
    assert not gradient[:, -1].any()


def test_word_and_letters_fall_into_different_buckets() -> None:
    texts = tf.constant(["the", ""])
    words, characters = word_buckets(texts), character_buckets(texts)
    # The word, and " th", "the", "he ", " the", "the ", " the ".
    assert len(grams_of(words[0])) == 1
    assert len(set(grams_of(words[0]) + grams_of(characters[0]))) == 7
    assert grams_of(words[1]) == grams_of(characters[1]) == []


def test_no_text_has_no_grams() -> None:
    nothing = tf.constant([], tf.string)
    assert word_buckets(nothing).shape[0] == character_buckets(nothing).shape[0] == 0


@pytest.mark.parametrize("buckets_of", [word_buckets, character_buckets])
def test_grams_of_a_text_are_the_same_beside_other_texts(buckets_of: Callable) -> None:
    texts = ["a great film", "", "x", "😀", "天 気 が", "no " * 2500]
    together = buckets_of(tf.constant(texts))
    for text, row in zip(texts, together):
        assert grams_of(row) == grams_of(buckets_of(tf.constant([text]))[0])


def test_each_gram_occurs_once_for_each_place_and_order_counts() -> None:
    # 5 words and 4 pairs, of which a, b and "a b" twice; 12 letters with the spaces around.
    assert len(grams_of(word_buckets(tf.constant(["a b c a b"]))[0])) == 9
    assert len(set(grams_of(word_buckets(tf.constant(["a b c a b"]))[0]))) == 6
    assert len(grams_of(character_buckets(tf.constant(["ação 天気 ok"]))[0])) == 10 + 9 + 8
    assert grams_of(word_buckets(tf.constant(["a b"]))[0]) != grams_of(word_buckets(tf.constant(["b a"]))[0])


def test_like_texts_spread_over_the_buckets_evenly() -> None:
    numbers = [str(number) for number in range(10_000, 60_000)]
    for buckets in (word_buckets(tf.constant(numbers)), character_buckets(tf.constant(numbers))[:, 1:2, 2:]):
        # As many of the buckets as 50,000 balls fall into, thrown at random.
        expected = features.GRAM_BUCKETS * (1 - np.exp(-len(numbers) / features.GRAM_BUCKETS))
        assert abs(len(set(grams_of(buckets.flat_values))) / expected - 1) < 0.01


def test_rows_of_a_sparse_tensor_keep_empty_ones() -> None:
    sparse = tf.sparse.from_dense(tf.constant([[5, 6], [0, 0], [7, 0]], tf.int64))
    assert ragged_rows(sparse).to_list() == [[5, 6], [], [7]]


def test_rare_classes_weigh_more_and_the_mean_is_one() -> None:
    weights = weigh_classes(np.array([0] * 9 + [1]), classes=2)
    assert weights[1] / weights[0] == np.sqrt(9)
    assert np.isclose((9 * weights[0] + weights[1]) / 10, 1)


def test_what_one_row_alone_holds_weighs_nothing() -> None:
    weights = weigh_grams(make_grams([7, 7, 8], [8]), make_grams([9], [9]))
    assert weights[7] == 0
    assert weights[8] == weights[9] == 1


def test_what_is_no_gram_weighs_nothing() -> None:
    assert weigh_grams(make_grams([features.NO_GRAM], [features.NO_GRAM]))[features.NO_GRAM] == 0
