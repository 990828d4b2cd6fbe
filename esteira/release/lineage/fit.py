"""Texts that fit into the boxes of a lineage's picture: in a font of fixed width, whose width is known here."""

import re
from typing import Tuple

# Pixels a character, of fonts whose characters are 0.6 of their size wide.
NAME_WIDTH = 6.8
TEXT_WIDTH = 6.2
PADDING = 8
LINE = 14


def fit_lines(lines: Tuple[str, ...], width: float) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """Return what a box of a width shows: the lines of its name, two at most, and its other lines."""
    name, *others = lines
    inside = width - 2 * PADDING
    texts = tuple(shorten(line, int(inside / TEXT_WIDTH)) for line in others)
    return wrap_name(name, int(inside / NAME_WIDTH)), texts


def wrap_name(name: str, limit: int) -> Tuple[str, ...]:
    """Return a name in one or two lines, broken after a dash, an underscore, a dot or a space."""
    if len(name) <= limit:
        return (name,)
    breaks = [found.end() for found in re.finditer(r"[-_. ]", name[:limit])]
    at = breaks[-1] if breaks else limit
    return name[:at].rstrip(), shorten(name[at:], limit)


def shorten(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters, its middle left out."""
    if len(text) <= limit:
        return text
    kept = limit - 1
    return f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def box_height(lines: Tuple[str, ...], width: float) -> float:
    names, texts = fit_lines(lines, width)
    return LINE * (len(names) + len(texts)) + PADDING + 2
