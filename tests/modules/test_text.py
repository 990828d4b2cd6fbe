"""Normalised text and tokens, in the languages that people write."""

import unicodedata
from typing import List

import pytest
import tensorflow as tf

from modules.text import normalize, tokenize


def normalized(text: str) -> str:
    return normalize(tf.constant([text])).numpy()[0].decode("utf-8")


def tokens(text: str) -> List[str]:
    return [token.decode("utf-8") for token in tokenize(normalize(tf.constant([text])))[0].numpy()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AÇÃO", "acao"),
        ("Inflação é 3ª", "inflacao e 3ª"),
        ("Crème brûlée", "creme brulee"),
        ("Ελλάδα", "ελλαδα"),
        ("ПРИВЕТ", "привет"),
        ("天気がいい", "天気がいい"),
        ("한국어", "한국어"),
        ("हिन्दी", "हिन्दी"),
        ("great 😀👍🏽", "great 😀👍🏽"),
        ("\uff26\uff35\uff2c\uff2c", "full"),
        ("don\u2019t", "don't"),
        ("", ""),
    ],
)
def test_accents_are_folded_and_other_scripts_left_whole(text: str, expected: str) -> None:
    assert normalized(text) == expected


@pytest.mark.parametrize("text", ["ação", "Ünïcödé", "й", "ắ"])
def test_both_ways_to_write_an_accent_give_the_same(text: str) -> None:
    assert normalized(unicodedata.normalize("NFC", text)) == normalized(unicodedata.normalize("NFD", text))


def test_bytes_that_are_no_utf8_do_not_stop_it() -> None:
    assert normalize(tf.constant([b"caf\xe9 ok"])).numpy()[0].decode("utf-8") == "caf\ufffd ok"


def test_a_text_of_accents_alone_is_empty_and_its_neighbours_keep_theirs() -> None:
    texts = tf.constant(["a\u0301b", "\u0301\u0302", "", "c"])
    assert normalize(texts).numpy().tolist() == [b"ab", b"", b"", b"c"]


def test_words_symbols_and_spaceless_scripts_become_tokens() -> None:
    assert tokens("Don't panic!! 😀") == ["don't", "panic", "!", "!", "😀"]
    assert tokens("天気 ok") == ["天", "気", "ok"]
    assert tokens("   ") == []
