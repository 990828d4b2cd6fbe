"""A row of the data, and the canonical form of its fields."""

import hashlib
import unicodedata
from typing import NamedTuple

COLUMNS = ("text", "label", "source")


class Row(NamedTuple):
    """A labelled text; rows of one source and group stay in one split."""

    text: str
    label: str
    source: str
    group: str


def fold_text(text: str) -> str:
    """Return the text with each run of white space, line breaks too, as one space."""
    return " ".join(text.split())


def fold_name(name: str, column: str) -> str:
    """Return a label or source as it is written into the canonical CSV.

    CsvExampleGen takes a column in which every value reads as a number for numbers,
    so such a value gets its column's name in front: "5" in "stars" is "stars 5".
    """
    name = unicodedata.normalize("NFC", fold_text(name))
    return f"{column} {name}" if reads_as_number(name) else name


def reads_as_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def text_key(text: str) -> bytes:
    """Return the key under which two texts count as the same.

    Letter case, compatible forms of characters and white space make no difference.
    """
    same = fold_text(unicodedata.normalize("NFKC", text).casefold())
    return hashlib.sha256(same.encode("utf-8")).digest()[:16]
