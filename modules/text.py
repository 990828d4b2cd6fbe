"""Text to tokens, in the graph, for every language: the same at training and in serving."""

import functools
import unicodedata
from typing import Tuple

import tensorflow as tf

# Everything below holds the letters that an accent can be folded away from (Latin, Greek, Cyrillic);
# above it scripts whose marks are part of the letter are left as they are.
FOLDED_CODE_POINTS = 0x2100
COMBINING_MARKS = (0x0300, 0x036F)
# Full-width forms of the printable ASCII characters, and how far they lie from them.
FULL_WIDTH = (0xFF01, 0xFF5E)
FULL_WIDTH_SHIFT = 0xFEE0
TYPOGRAPHIC = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " "}

# Chinese, Japanese and Thai write no spaces between words: each of their letters is a token.
# Marks (\p{M}) belong to the letter before them; all else that is no letter or digit stands alone.
SPACELESS = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]\p{M}*"
SYMBOL = r"[^\p{L}\p{M}\p{N}\s']"


def fold_code_point(code_point: int) -> int:
    """Return the letter without its accents, 0 for an accent that stands alone."""
    if COMBINING_MARKS[0] <= code_point <= COMBINING_MARKS[1]:
        return 0
    character = chr(code_point)
    if character in TYPOGRAPHIC:
        return ord(TYPOGRAPHIC[character])
    base, *marks = unicodedata.normalize("NFD", character)
    accented = all(COMBINING_MARKS[0] <= ord(mark) <= COMBINING_MARKS[1] for mark in marks)
    return ord(base) if accented else code_point


@functools.lru_cache(maxsize=None)
def folding_table() -> Tuple[int, ...]:
    """Return for each code point below FOLDED_CODE_POINTS what it becomes."""
    return tuple(fold_code_point(code_point) for code_point in range(FOLDED_CODE_POINTS))


def normalize(text: tf.Tensor) -> tf.Tensor:
    """Return the string tensor [n] in lower case, without accents and full-width forms.

    Both ways to write an accented letter (one code point, or letter and mark) give the same.
    Bytes that are not UTF-8 become U+FFFD.
    """
    lowered = tf.strings.lower(text, encoding="utf-8")
    code_points = tf.strings.unicode_decode(lowered, "UTF-8")
    values = code_points.flat_values
    table = tf.constant(folding_table(), tf.int32)
    folded = tf.gather(table, tf.minimum(values, FOLDED_CODE_POINTS - 1))
    full_width = tf.logical_and(values >= FULL_WIDTH[0], values <= FULL_WIDTH[1])
    kept = tf.where(full_width, values - FULL_WIDTH_SHIFT, values)
    values = tf.where(values < FOLDED_CODE_POINTS, folded, kept)
    return tf.strings.unicode_encode(drop_zeros(code_points.with_flat_values(values)), "UTF-8")


def drop_zeros(code_points: tf.RaggedTensor) -> tf.RaggedTensor:
    """Return what is left of each row; tf.ragged.boolean_mask takes some ten times as long."""
    kept = code_points.flat_values > 0
    kept_before = tf.pad(tf.cumsum(tf.cast(kept, tf.int64)), [[1, 0]])
    splits = tf.gather(kept_before, code_points.row_splits)
    values = tf.boolean_mask(code_points.flat_values, kept)
    return tf.RaggedTensor.from_row_splits(values, splits, validate=False)


def tokenize(normalized: tf.Tensor) -> tf.RaggedTensor:
    """Return the words and symbols of normalised texts [n], ragged [n, tokens]."""
    spaced = tf.strings.regex_replace(normalized, f"({SPACELESS}|{SYMBOL})", r" \1 ")
    return tf.strings.split(spaced)
