"""Splitting rows into train and eval: by source and group, never by row."""

import hashlib
from typing import Counter, Dict, Iterable, Set, Tuple

from esteira.data.rows import Row
from esteira.errors import DataError

TRAIN, EVAL = "train", "eval"


class Split:
    """Says for each row whether it is for training or for evaluation.

    A hash of source and group decides, so that a group keeps its split when other rows
    come or go. So that every class is in both splits, the group with the least hash of
    a class is evaluated and the one with the greatest trained on, whatever they are.
    `texts` counts the rows of each class.
    """

    def __init__(self, rows: Iterable[Row], eval_percent: int) -> None:
        self.texts: Counter[str] = Counter()
        self._bound = eval_percent * 2**64 // 100
        least: Dict[str, int] = {}
        greatest: Dict[str, int] = {}
        for row in rows:
            number = group_number(row)
            self.texts[row.label] += 1
            least[row.label] = min(number, least.get(row.label, number))
            greatest[row.label] = max(number, greatest.get(row.label, number))
        self._always_eval: Set[int] = set(least.values())
        self._always_train: Set[int] = set(greatest.values()) - self._always_eval

    @property
    def labels(self) -> Tuple[str, ...]:
        """The classes, sorted by code point."""
        return tuple(sorted(self.texts))

    def of(self, row: Row) -> str:
        """Return "train" or "eval"."""
        number = group_number(row)
        if number in self._always_train:
            return TRAIN
        return EVAL if number < self._bound or number in self._always_eval else TRAIN


def group_number(row: Row) -> int:
    """Return a number below 2**64 that depends on source and group alone."""
    digest = hashlib.sha256(f"{row.source}\0{row.group}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def check_classes(texts: Counter[str], place: str) -> None:
    """Raise DataError unless there are two classes, each of two distinct texts at least."""
    if len(texts) < 2:
        found = f'only the class "{next(iter(texts))}"' if texts else "no row with a text"
        raise DataError(
            f"{place}: has {found}.\n"
            "Expected two classes at least. Check that data.label_column names the right column."
        )
    rare = sorted(label for label, count in texts.items() if count < 2)
    if rare:
        named = ", ".join(f'"{label}"' for label in rare[:10]) + (" …" if len(rare) > 10 else "")
        raise DataError(
            f"{place}: {len(rare)} of {len(texts)} classes have only one distinct text: {named}.\n"
            "Expected two at least, one to train on and one to evaluate on. "
            "Add texts, or remove the rows of these classes. "
            "Check that data.label_column names the right column."
        )


def check_splits(rows: Dict[str, Counter[str]], labels: Iterable[str], place: str) -> None:
    """Raise DataError if a class is missing from a split, as one within a single group is."""
    for name, counts in rows.items():
        missing = [label for label in labels if not counts[label]]
        if missing:
            raise DataError(
                f'{place}: the split {name} has no text of the class "{missing[0]}".\n'
                "Expected every class in two groups (such as reviews) at least. Add texts of that class."
            )
