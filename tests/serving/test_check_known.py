"""The file of texts whose labels are known."""

from pathlib import Path
from typing import Dict

import pytest

from esteira.errors import DataError
from esteira.release.inputs import Inputs, lay_inputs
from esteira.release.manifest import Part, Release
from esteira.release.store import open_store
from esteira.serving.check_known import Known, known_texts, read_known
from esteira.settings import Settings
from tests.conftest import REPOSITORY
from tests.serving.small_model import deployed_model


def trained(settings: Settings, values: Dict[str, str]) -> Release:
    """Return a release whose data was made of these values."""
    inputs = Inputs("data", {}, values)
    lay_inputs(open_store(settings), {"data": inputs})
    release = deployed_model(settings, "1732300000")
    return release.copy(update={"parts": {"data": Part(digest=inputs.digest)}})


def at(settings: Settings, root: Path, **data: str) -> Settings:
    return settings.copy(update={"root": root, "data": settings.data.copy(update=data)})


def test_the_file_of_this_repository_has_each_label_and_is_read(settings: Settings) -> None:
    known = known_texts(settings, open_store(settings), trained(settings, {"data.eval_percent": "25"}))
    assert known[0] == Known("I love this film, it is wonderful and very funny.", "positive", "smoke.csv:2")
    assert {one.label for one in known} == {"positive", "negative", "neutral"}


def test_data_of_ones_own_has_a_file_of_its_own_beside_it(settings: Settings, tmp_path: Path) -> None:
    release, store = trained(settings, {"csv": "sha256:" + "a" * 64}), open_store(settings)
    (tmp_path / "reviews.smoke.csv").write_text("stars,review\n5 stars,a delight\n", encoding="utf-8")
    own = at(settings, tmp_path, file="reviews.csv", text_column="review", label_column="stars")
    assert known_texts(own, store, release) == [Known("a delight", "5 stars", "reviews.smoke.csv:2")]
    assert known_texts(at(settings, tmp_path, file="other.csv"), store, release) == []
    assert known_texts(at(settings, tmp_path), store, release) == []
    assert known_texts(at(settings, REPOSITORY), store, release) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"text,label\nok,positive\nbad,\n", ":3: has no label"),
        (b"review,label\nok,positive\n", ":2: has no text"),
        (b"text,label\n\xe9,positive\n", ": is not UTF-8"),
    ],
)
def test_a_line_of_no_use_is_told(settings: Settings, tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "smoke.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        read_known(path, settings)
    assert str(raised.value) == f"{path}{told}. Expected a CSV with the columns text and label."
