"""Comparing what a document shows with what was really seen."""

import re
from typing import List, Optional

# On a line of its own it stands for any lines, or none; at a line's end for the rest of it.
ANYTHING = "…"
VARIES = re.compile(
    r"(?P<decimal>(?:(?<!\S)[+-])?\d[\d,]*(?:\.\d+(?:e-\d+)?|e-\d+))"
    r"|(?P<id>\b[0-9a-f]{7,64}\b)"
    r"|(?P<number>(?:(?<!\S)[+-])?\d[\d,]*)"
    r"|(?P<label>\b(?:negative|neutral|positive)\b)"
)
NAMES = {"decimal": "N", "id": "ID", "number": "N", "label": "LABEL"}


def stable(line: str) -> str:
    """Return a line with N for each number, ID for each digest or long number, LABEL for an answer, single spaces."""
    marked = VARIES.sub(lambda match: NAMES[match.lastgroup or ""], line)
    return " ".join(marked.split())


def find_missing(shown: str, seen: str) -> Optional[str]:
    """Return the first line of what is shown that was not seen in its place, None if all were."""
    real = [stable(line) for line in seen.splitlines()]
    place = 0
    for piece in pieces([stable(line) for line in shown.splitlines()]):
        lengths = [equal_lines(piece, real[start:]) for start in range(place, len(real))]
        if len(piece) not in lengths:
            return piece[max(lengths, default=0)]
        place += lengths.index(len(piece)) + len(piece)
    return None


def pieces(lines: List[str]) -> List[List[str]]:
    """Return the lines between those that stand for any."""
    found: List[List[str]] = [[]]
    for line in lines:
        if line == ANYTHING:
            found.append([])
        else:
            found[-1].append(line)
    return [piece for piece in found if piece]


def equal_lines(piece: List[str], real: List[str]) -> int:
    """Return how many lines of a piece the real ones begin with."""
    equal = [is_same(*pair) for pair in zip(piece, real)]
    return [*equal, False].index(False)


def is_same(shown: str, real: str) -> bool:
    if shown.endswith(ANYTHING):
        return real.startswith(shown[: -len(ANYTHING)].rstrip())
    return shown == real
