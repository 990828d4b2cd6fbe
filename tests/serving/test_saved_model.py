from pathlib import Path

import pytest

from esteira.errors import ServingError
from esteira.serving.saved_model import check_model_dir, model_version, read_labels


def test_the_version_is_the_folders_number_else_one() -> None:
    assert model_version(Path("/models/1732300000")) == 1732300000
    assert model_version(Path("/models/final")) == 1
    assert model_version(Path("/models/²")) == 1


def test_a_folder_that_is_missing_or_no_saved_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match=r"nowhere: no such folder\.[\s\S]*make deploy-full"):
        check_model_dir(tmp_path / "nowhere")
    with pytest.raises(ServingError, match=r"is no SavedModel, it holds no saved_model\.pb"):
        check_model_dir(tmp_path)


def test_labels_are_none_where_the_model_has_no_file(tmp_path: Path) -> None:
    assert read_labels(tmp_path) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"labels": ["a", 1]}', r"labels\.json: expected .* with the names of the classes"),
        (b"[]", r"labels\.json: expected a JSON object"),
        (b"{", r"labels\.json: is not JSON"),
        (b'"\xff"', r"labels\.json: is not JSON"),
    ],
)
def test_broken_labels_are_told(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "labels.json").write_bytes(content)
    with pytest.raises(ServingError, match=message):
        read_labels(tmp_path)


def test_labels_are_read_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "labels.json").write_text('{"labels": ["b", "ã"]}', encoding="utf-8")
    assert read_labels(tmp_path) == ["b", "ã"]
