"""Splitting by source and group."""

from collections import Counter

import pytest

from esteira.data.rows import Row
from esteira.data.split import Split, check_classes, check_splits
from esteira.errors import DataError

REVIEWS = [Row(f"text {i}", "ab"[i % 2], "shop", f"review {i // 5}") for i in range(1000)]
TEXTS = [Row(f"text {i}", "ab"[i % 2], "all", f"text {i}") for i in range(2000)]


def test_keeps_a_group_in_one_split() -> None:
    split = Split(REVIEWS, 25)
    splits = {(row.group, split.of(row)) for row in REVIEWS}
    assert len(splits) == 200


def test_splits_groups_of_the_same_name_by_source() -> None:
    rows = [Row(f"{source} {i}", "a", source, str(i)) for source in ("x", "y") for i in range(50)]
    split = Split(rows, 50)
    assert [split.of(row) for row in rows[:50]] != [split.of(row) for row in rows[50:]]


@pytest.mark.parametrize("percent", [5, 25, 50])
def test_evaluates_about_the_wanted_share(percent: int) -> None:
    split = Split(TEXTS, percent)
    assert sum(split.of(row) == "eval" for row in TEXTS) == pytest.approx(len(TEXTS) * percent / 100, rel=0.2)


def test_a_row_keeps_its_split_when_others_come() -> None:
    before, after = Split(TEXTS[:1000], 25), Split(TEXTS, 25)
    assert sum(before.of(row) != after.of(row) for row in TEXTS[:1000]) <= 4


@pytest.mark.parametrize("percent", [1, 50, 90])
def test_puts_each_class_into_both_splits_even_one_of_two_texts(percent: int) -> None:
    rows = [Row(f"{label} {i}", str(label), "all", f"{label} {i}") for label in range(40) for i in range(2)]
    split = Split(rows, percent)
    assert Counter((row.label, split.of(row)) for row in rows) == Counter(
        (str(label), name) for label in range(40) for name in ("train", "eval")
    )


def test_one_class_is_a_fault() -> None:
    with pytest.raises(DataError, match=r'file.csv: has only the class "a"'):
        check_classes(Counter({"a": 9}), "file.csv")


def test_no_texts_at_all_is_a_fault() -> None:
    with pytest.raises(DataError, match=r"file.csv: has no row with a text"):
        check_classes(Counter(), "file.csv")


def test_a_class_of_one_text_is_a_fault_that_names_it() -> None:
    with pytest.raises(DataError, match='1 of 3 classes have only one distinct text: "c"'):
        check_classes(Counter({"a": 9, "b": 2, "c": 1}), "file.csv")


def test_a_class_within_one_group_is_a_fault() -> None:
    with pytest.raises(DataError, match='the split eval has no text of the class "b"'):
        check_splits({"train": Counter("ab"), "eval": Counter("a")}, ["a", "b"], "file.csv")
