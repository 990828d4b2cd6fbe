"""The default data: rated English texts from vaderSentiment's source distribution.

Hutto and Gilbert (ICWSM 2014) had 23,703 tweets and sentences of reviews and
editorials rated by 20 people each, from -4 (most negative) to 4. The package and
its hash are pinned in modules/dataset.txt.
"""

import html
import io
import tarfile
from pathlib import Path
from typing import Iterator, NamedTuple

NESTED_ARCHIVE = "additional_resources/hutto_ICWSM_2014.tar.gz"
NEUTRAL_BELOW = 0.5

# The source's name, its file, and whether ids are <review>_<sentence>. In the other
# files each row is a text of its own.
SOURCES = (
    ("tweets", "tweets_GroundTruth.txt", False),
    ("products", "amazonReviewSnippets_GroundTruth.txt", True),
    ("films", "movieReviewSnippets_GroundTruth.txt", False),
    ("news", "nytEditorialSnippets_GroundTruth.txt", True),
)


class Row(NamedTuple):
    """One rated text. Rows of one source and group must not be parted by the split."""

    text: str
    label: str
    source: str
    group: str


def create_dataset(archive: Path) -> Iterator[Row]:
    """Yield the rows of the source distribution at `archive`, in its order.

    Nothing is written to disk: the nested archive is read in memory. Raises KeyError
    or tarfile.TarError if the archive is not the pinned one.
    """
    with tarfile.open(archive) as outer:
        folder = outer.getnames()[0].split("/")[0]
        nested = read_member(outer, f"{folder}/{NESTED_ARCHIVE}")
    with tarfile.open(fileobj=io.BytesIO(nested)) as inner:
        for source, name, in_reviews in SOURCES:
            table = read_member(inner, f"hutto_ICWSM_2014/{name}").decode("utf-8")
            yield from read_rows(table, source, in_reviews)


def read_member(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(f"{name} is no regular file in the archive")
    return member.read()


def read_rows(table: str, source: str, in_reviews: bool) -> Iterator[Row]:
    """Yield the rows of a table: id, mean rating and text, parted by tabs, no header."""
    for line in table.split("\r\n"):
        if line:
            name, rating, text = line.split("\t")
            text = unescape(text)
            group = name.split("_")[0] if in_reviews else text
            yield Row(text, name_label(float(rating)), source, group)


def name_label(rating: float) -> str:
    """Return the class of a mean rating between -4 and 4."""
    if abs(rating) < NEUTRAL_BELOW:
        return "neutral"
    return "positive" if rating > 0 else "negative"


def unescape(text: str) -> str:
    """Replace HTML entities; some texts were escaped twice."""
    while html.unescape(text) != text:
        text = html.unescape(text)
    return text
