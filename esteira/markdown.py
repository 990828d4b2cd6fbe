"""Texts of others as Markdown shows them: as they are, whatever they are called.

What these functions return is GitHub Flavored Markdown, https://github.github.com/gfm/, as job summaries have it.
"""

import re
from typing import Iterable, Sequence

from esteira.visible import visible

# What Markdown or HTML may take for anything but text, wherever it stands; a pipe ends a table's cell even in code.
SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&@!$]|^[-+=]")
# What a code span shows unchanged, in a table too.
TAME = re.compile(r"[^\s`|\\]([^`|\\]*[^\s`|\\])?")
BACKTICKS = re.compile("`+")


def plain(text: str) -> str:
    """Return a text as Markdown that shows it, on one line."""
    return SPECIAL.sub(lambda match: f"&#{ord(match[0])};", one_line(text))


def code(text: str) -> str:
    """Return a name as Markdown that shows it as code, on one line; nobody is mentioned by it."""
    line = one_line(text)
    return f"`{line}`" if TAME.fullmatch(line) else f"<code>{plain(line)}</code>"


def link(text: str, url: str) -> str:
    """Return a link to a page; a URL holds no angle brackets or blanks."""
    return f"[{plain(text)}](<{re.sub('[<>]', '', one_line(url)).replace(' ', '%20')}>)"


def block(text: str) -> str:
    """Return a text of several lines as a block of code, which nothing within ends."""
    shown = visible(text).strip("\n")
    fence = "`" * max(3, 1 + max(map(len, BACKTICKS.findall(shown)), default=0))
    return f"{fence}text\n{shown}\n{fence}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Return a table of cells that are Markdown already; a column that is named in `right` is aligned to it."""
    rule = ["---:" if column in right else "---" for column in columns]
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, rule, *rows))


def one_line(text: str) -> str:
    return visible(" ".join(text.split("\n"))).replace("\t", " ")
