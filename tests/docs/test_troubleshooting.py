"""Each message that docs/troubleshooting.md quotes is one that the program can print."""

import ast
import re
from functools import lru_cache
from typing import Iterator, List, Tuple

import pytest

from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "troubleshooting.md"
SOURCES = ("esteira", "pipeline", "modules", "tasks.py")
# What differs from case to case, in a message as the page quotes it.
OPEN = "…"
# Stands for it in the text of a source.
VALUE = "\0"


def symptoms() -> List[Tuple[int, str]]:
    """Return the messages that rows of the page's tables begin with, and the line of each."""
    lines = enumerate(PAGE.read_text(encoding="utf-8").splitlines(), 1)
    quoted = ((number, re.match(r"\| `([^`]+)`", line)) for number, line in lines)
    return [(number, match[1]) for number, match in quoted if match]


def fixed_words(symptom: str) -> List[str]:
    """Return the pieces of a message that do not differ from case to case."""
    return [piece for piece in (piece.strip() for piece in symptom.split(OPEN)) if len(piece) > 1]


@lru_cache(maxsize=None)
def printed() -> str:
    """Return the texts of all sources, each on its own, with VALUE where something is filled in."""
    texts: List[str] = []
    for source in SOURCES:
        path = REPOSITORY / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            texts += texts_in(ast.parse(file.read_text(encoding="utf-8")))
    texts += [script.read_text(encoding="utf-8") for script in sorted((REPOSITORY / "esteira").rglob("*.sh"))]
    return "\n\n".join(texts)


def texts_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(text_of(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def text_of(part: ast.AST) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else VALUE


@pytest.mark.parametrize(("line", "symptom"), symptoms(), ids=lambda value: str(value)[:40])
def test_a_quoted_message_is_one_that_is_printed(line: int, symptom: str) -> None:
    missing = [words for words in fixed_words(symptom) if words not in printed()]
    assert missing == [], f"{PAGE.name}:{line}: no source prints this"


def test_the_page_quotes_messages_and_the_sources_are_read() -> None:
    assert len(symptoms()) > 60
    assert "Set-up: no working Python 3.8 was found" in printed()
