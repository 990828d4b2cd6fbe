"""Comparing what a document shows with what was really seen."""

import re
from typing import List, Optional

# A line of its own in what is shown: any lines, or none.
ANYTHING = "…"
VARIES = re.compile(
    r"(?P<decimal>(?:(?<!\S)[+-])?\d[\d,]*(?:\.\d+(?:e-\d+)?|e-\d+))"
    r"|(?P<id>\b[0-9a-f]{7,64}\b)"
    r"|(?P<number>(?:(?<!\S)[+-])?\d[\d,]*)"
)
NAMES = {"decimal": "N", "id": "ID", "number": "N"}


def stable(line: str) -> str:
    """Return a line with N for each number, ID for each digest or long number, and one space for several."""
    marked = VARIES.sub(lambda match: NAMES[match.lastgroup or ""], line)
    return " ".join(marked.split())


def find_missing(shown: str, seen: str) -> Optional[str]:
    """Return the first line of what is shown that was not seen in its place, None if all were."""
    wanted = [stable(line) for line in shown.splitlines()]
    real = [stable(line) for line in seen.splitlines()]
    place = 0
    for piece in pieces(wanted):
        found = next((start for start in range(place, len(real)) if real[start : start + len(piece)] == piece), None)
        if found is None:
            return nearest(piece, real[place:])
        place = found + len(piece)
    return None


def pieces(lines: List[str]) -> List[List[str]]:
    """Return the lines between those that stand for anything."""
    found: List[List[str]] = [[]]
    for line in lines:
        if line == ANYTHING:
            found.append([])
        else:
            found[-1].append(line)
    return [piece for piece in found if piece]


def nearest(piece: List[str], real: List[str]) -> str:
    """Return the line of a piece at which the best match of it breaks off."""
    best = 0
    for start in range(len(real)):
        equal = 0
        while equal < len(piece) and real[start : start + equal + 1] == piece[: equal + 1]:
            equal += 1
        best = max(best, equal)
    return piece[min(best, len(piece) - 1)]
