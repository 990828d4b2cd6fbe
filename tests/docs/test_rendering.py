"""A page looks on GitHub as it was meant: what is valid Markdown may still be another thing than its writer thought."""

import re
from typing import Iterator

import pytest
from markdown_it import MarkdownIt

from tests.conftest import REPOSITORY
from tests.docs.pages import Page, listed, place, read_page

FIGURE = re.compile(r"\s*<!-- bench \w")
PIPE = re.compile(r"(?<!\\)\|")


def cut_paragraphs(page: Page, text: str) -> Iterator[str]:
    """Yield the lines that begin with a quoted figure: its comment there ends the paragraph, and shows Markdown raw."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "html_block" and token.map and FIGURE.match(token.content):
            yield f"{place(page, token.map[0] + 1)}: begins with a figure. Expected a word before it on its line"


def torn_rows(page: Page, text: str) -> Iterator[str]:
    """Yield the rows of tables that have another number of cells than the head: what is too much is not shown."""
    lines = text.splitlines()
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open" and token.map:
            cells = [len(PIPE.findall(line)) for line in lines[slice(*token.map)]]
            for number, found in enumerate(cells, token.map[0] + 1):
                if found != cells[0]:
                    yield f"{place(page, number)}: has {found - 1} cells, expected {cells[0] - 1}"


@pytest.mark.programs
def test_no_page_shows_a_paragraph_cut_or_a_row_torn() -> None:
    found = []
    for name in listed("*.md"):
        page, text = read_page(REPOSITORY / name), (REPOSITORY / name).read_text(encoding="utf-8")
        found += [*cut_paragraphs(page, text), *torn_rows(page, text)]
    assert found == []


def test_what_is_cut_or_torn_is_told_with_its_line() -> None:
    text = "It takes\n<!-- bench run/job/ours -->1 s<!-- / -->.\n\n| a | b |\n| --- | --- |\n| `x|y` | z |\n"
    page = read_page(REPOSITORY / "README.md", text)
    assert [*cut_paragraphs(page, text), *torn_rows(page, text)] == [
        "README.md:2: begins with a figure. Expected a word before it on its line",
        "README.md:6: has 3 cells, expected 2",
    ]
