"""Keeping each text once."""

from pathlib import Path
from typing import List

import pytest

from esteira.data.distinct import open_distinct_texts
from esteira.data.rows import Row
from esteira.errors import StateError


def distinct(path: Path, rows: List[Row]) -> List[Row]:
    with open_distinct_texts(path) as texts:
        texts.load(rows)
        return list(texts)


def test_keeps_the_first_of_texts_that_differ_in_case_form_or_space(tmp_path: Path) -> None:
    rows = [Row(text, "a", "all", text) for text in ("É  bom", "é bom", "e\u0301 bom", "ruim")]
    assert {row.text for row in distinct(tmp_path / "db", rows)} == {"É  bom", "ruim"}


def test_gives_a_text_the_label_that_most_rows_have(tmp_path: Path) -> None:
    rows = [Row("x", label, "all", "x") for label in ("a", "b", "b")]
    assert [row.label for row in distinct(tmp_path / "db", rows)] == ["b"]


def test_gives_a_text_the_first_label_where_two_are_as_frequent(tmp_path: Path) -> None:
    rows = [Row("x", label, "all", "x") for label in ("b", "a", "a", "b")]
    assert [row.label for row in distinct(tmp_path / "db", rows)] == ["b"]


def test_gives_the_same_order_in_whichever_order_rows_came(tmp_path: Path) -> None:
    rows = [Row(str(number), "a", "all", "") for number in range(50)]
    assert distinct(tmp_path / "db", rows) == distinct(tmp_path / "db", rows[::-1])


def test_leaves_no_database_behind_when_the_rows_fail(tmp_path: Path) -> None:
    def rows():  # type: ignore[no-untyped-def]
        yield Row("x", "a", "all", "x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distinct(tmp_path / "db", rows())
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_a_state_error(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot sort the texts"):
        distinct(tmp_path / "missing" / "db", [])
