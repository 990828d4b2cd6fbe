from typing import List

import pytest
from markdown_it import MarkdownIt

from esteira.markdown import block, code, link, plain, table

HOSTILE = [
    "modules/a.py",
    "a|b",
    "a\\|b",
    "`code`",
    "``",
    "<img src=x onerror=alert(1)>",
    "*bold* _it_ ~~gone~~ **b**",
    "[link](https://example.com)",
    "![picture](https://example.com/p.png)",
    "# heading",
    "- item",
    "1 & 2 &amp; 3",
    "@somebody and #12",
    "$x$",
    " leads and ends ",
    "C:\\temp\\",
]


def shown(markdown: str) -> str:
    """Return the text that a Markdown reader shows of a paragraph or a cell, its markup left out."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown)
    texts: List[str] = []
    for token in tokens:
        for child in token.children or []:
            assert child.type in ("text", "code_inline", "html_inline", "text_special"), child
            assert child.type != "html_inline" or child.content in ("<code>", "</code>")
            texts += [child.content] if child.type != "html_inline" else []
    return "".join(texts)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_shown_as_it_is(text: str) -> None:
    assert shown(plain(text)).strip() == text.strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_is_shown_as_it_is_in_a_table_too(text: str) -> None:
    assert shown(table(["", ""], [[code(text), "end"]])) == f"{text}end"


def test_line_breaks_and_control_characters_do_not_reach_a_page() -> None:
    assert plain("a\nb\tc\x1b[1m\u202e") == "a b c\ufffd&#91;1m\ufffd"
    assert code("a\nb") == "`a b`"


def test_nothing_in_a_block_ends_it() -> None:
    assert block("one\n```\ntwo\n") == "````text\none\n```\ntwo\n````"


def test_a_link_leads_to_its_page_alone() -> None:
    assert link("the [log]", "https://example.com/a b>c(d)") == "[the &#91;log&#93;](<https://example.com/a%20bc(d)>)"


def test_a_table_has_its_figures_to_the_right() -> None:
    assert table(["Name", "Value"], [["`a`", "1"]], right=["Value"]).splitlines() == [
        "| Name | Value |",
        "| --- | ---: |",
        "| `a` | 1 |",
    ]
