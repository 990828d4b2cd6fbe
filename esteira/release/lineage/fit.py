"""Texts that fit into the boxes of a lineage's picture: in a font of fixed width, whose width is known here."""

import re
from typing import Tuple

from rich.cells import cell_len, set_cell_size

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
    """Return a name in one or two lines, broken after a dash, an underscore, a dot or a space if it has one."""
    if cell_len(name) <= limit:
        return (name,)
    head = set_cell_size(name, limit).rstrip()
    breaks = [found.end() for found in re.finditer(r"[-_. ]", head)]
    at = breaks[-1] if breaks else len(head)
    return name[:at].rstrip(), shorten(name[at:], limit)


def shorten(text: str, limit: int) -> str:
    """Return a text at most `limit` characters wide, its middle left out."""
    if cell_len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{set_cell_size(text, half)}…{set_cell_size(text[::-1], half)[::-1]}"


def box_height(lines: Tuple[str, ...], width: float) -> float:
    names, texts = fit_lines(lines, width)
    return LINE * (len(names) + len(texts)) + PADDING + 2
