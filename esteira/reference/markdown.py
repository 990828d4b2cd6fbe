"""How texts of the code are written in Markdown as GitHub shows it: in cells, as code, and as the anchor of a heading.

https://github.github.com/gfm/ has the form.
"""

import json
import re
from typing import Iterable

# https://github.com/gjtorikian/html-pipeline/blob/v2.14.3/lib/html/pipeline/toc_filter.rb has GitHub's rule.
NO_ANCHOR = re.compile(r"[^\w\- ]")
SPACE = re.compile(r"\s+")


def cell(text: str) -> str:
    """Return a text as it may stand in a cell of a table: on one line, no bar parts it, and no < begins HTML."""
    line = SPACE.sub(" ", text).strip()
    return "".join(escaped(piece, number % 2 == 1) for number, piece in enumerate(line.split("`")))


def escaped(piece: str, is_code: bool) -> str:
    piece = piece.replace("|", "\\|")
    return f"`{piece}`" if is_code else piece.replace("<", "&lt;").replace("*", "\\*")


def code(text: str) -> str:
    """Return a text as code, which may stand in a cell, too."""
    return f"`{SPACE.sub(' ', text)}`".replace("|", "\\|")


def codes(texts: Iterable[str]) -> str:
    """Return texts as code, with commas."""
    return ", ".join(map(code, texts))


def value(literal: object) -> str:
    """Return a value as TOML writes it, as code."""
    return code(json.dumps(literal, ensure_ascii=False))


def sentence(text: str) -> str:
    """Return a text that ends with a full stop and begins with a capital, unless it begins with a file's name."""
    text = SPACE.sub(" ", text).strip()
    begin = text if "." in text.partition(" ")[0] else f"{text[:1].upper()}{text[1:]}"
    return begin if begin.endswith((".", "!", "?")) else f"{begin}."


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading that is there once."""
    return NO_ANCHOR.sub("", heading.replace("`", "").lower()).replace(" ", "-")
