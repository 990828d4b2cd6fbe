"""The default data, made of an archive with the layout of the pinned one."""

import io
import tarfile
from pathlib import Path
from typing import Dict

import pytest

from modules.create_dataset import NESTED_ARCHIVE, SOURCES, Row, create_dataset, name_label

TABLES = {
    "tweets_GroundTruth.txt": "1\t2.5\tso lucky &amp; happy &lt;3\r\n2\t-0.4\tmeh",
    "amazonReviewSnippets_GroundTruth.txt": "7_1\t-1.5\tat &amp;#38; t's phone\r\n7_2\t0.5\tfine\r\n",
    "movieReviewSnippets_GroundTruth.txt": "1\t0.0\tVoilà, déjà vu",
    "nytEditorialSnippets_GroundTruth.txt": "12_34\t-0.5\tTo the Editor",
}


def pack(files: Dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    nested = pack({f"hutto_ICWSM_2014/{name}": table.encode() for name, table in TABLES.items()})
    path = tmp_path / "package-1.0.tar.gz"
    path.write_bytes(pack({"package-1.0/PKG-INFO": b"", f"package-1.0/{NESTED_ARCHIVE}": nested}))
    return path


def test_reads_texts_labels_sources_and_groups(archive: Path) -> None:
    assert list(create_dataset(archive)) == [
        Row("so lucky & happy <3", "positive", "tweets", "so lucky & happy <3"),
        Row("meh", "neutral", "tweets", "meh"),
        Row("at & t's phone", "negative", "products", "7"),
        Row("fine", "positive", "products", "7"),
        Row("Voilà, déjà vu", "neutral", "films", "Voilà, déjà vu"),
        Row("To the Editor", "negative", "news", "12"),
    ]


def test_writes_nothing_to_disk(archive: Path) -> None:
    list(create_dataset(archive))
    assert list(archive.parent.iterdir()) == [archive]


@pytest.mark.parametrize(
    ("rating", "label"),
    [
        (-4, "negative"),
        (-0.5, "negative"),
        (-0.4, "neutral"),
        (0.4, "neutral"),
        (0.5, "positive"),
        (4, "positive"),
    ],
)
def test_neutral_is_a_mean_rating_of_less_than_a_half(rating: float, label: str) -> None:
    assert name_label(rating) == label


def test_another_archive_is_an_error_that_names_the_member(tmp_path: Path) -> None:
    path = tmp_path / "other-1.0.tar.gz"
    path.write_bytes(pack({"other-1.0/PKG-INFO": b""}))
    with pytest.raises(KeyError, match=NESTED_ARCHIVE):
        list(create_dataset(path))


def test_each_source_has_a_name_of_its_own() -> None:
    assert len({name for name, _, _ in SOURCES}) == 4
