"""A page of Markdown as GitHub shows it: the anchors that it has, and the links, pictures and names in it."""

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Counter as CounterOf
from typing import List, Optional, Set, Tuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from esteira.reference.markdown import anchor
from tests.conftest import REPOSITORY
from tests.repositories import run_git

Named = Tuple[int, str]


@dataclass
class Page:
    """What a page has, each with its line: links and pictures as they are written, and what stands as code."""

    path: Path
    anchors: Set[str] = field(default_factory=set)
    links: List[Named] = field(default_factory=list)
    pictures: List[Named] = field(default_factory=list)
    code: List[Named] = field(default_factory=list)
    blocks: List[Named] = field(default_factory=list)


def listed(*patterns: str) -> List[str]:
    """Return the files that are committed, or would be, by their paths in the repository."""
    names = run_git(REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard", *patterns).splitlines()
    return [name for name in names if (REPOSITORY / name).is_file()]


def read_page(path: Path, text: Optional[str] = None) -> Page:
    """Return what the page at a path has; `text` is another than what stands there."""
    page = Page(path)
    known: CounterOf[str] = Counter()
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8") if text is None else text)
    for before, token in zip([None, *tokens], tokens):
        line = token.map[0] + 1 if token.map else 0
        if token.type in ("fence", "code_block"):
            page.blocks.append((line, token.content))
        elif token.type == "html_block":
            read_html(page, line, token.content)
        elif token.type == "inline":
            read_inline(page, line, token)
            if before is not None and before.type == "heading_open":
                name = anchor(heading_text(token))
                page.anchors.add(f"{name}-{known[name]}" if known[name] else name)
                known[name] += 1
    return page


def heading_text(token: Token) -> str:
    return "".join(child.content for child in token.children or [] if child.type in ("text", "code_inline"))


def read_inline(page: Page, line: int, token: Token) -> None:
    for child in token.children or []:
        if child.type == "softbreak":
            line += 1
        elif child.type == "link_open":
            page.links.append((line, str(child.attrs["href"])))
        elif child.type == "image":
            page.pictures.append((line, str(child.attrs["src"])))
        elif child.type == "code_inline":
            page.code.append((line, child.content))
        elif child.type == "html_inline":
            read_html(page, line, child.content)


def read_html(page: Page, line: int, text: str) -> None:
    """Add what HTML within a page has: anchors, links and pictures."""

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
            said = {name: value or "" for name, value in attrs}
            page.anchors.update(said[name] for name in ("id", "name") if name in said)
            if tag == "a" and "href" in said:
                page.links.append((line, said["href"]))
            page.pictures.extend((line, said[name]) for name in ("src", "srcset") if name in said)

    Reader().feed(text)


def place(page: Page, line: int) -> str:
    return f"{page.path.relative_to(REPOSITORY)}:{line}"


def is_elsewhere(target: str) -> bool:
    """Return whether a link leads out of the repository."""
    return bool(re.match(r"(?:[a-z]+:)?//|mailto:", target))
