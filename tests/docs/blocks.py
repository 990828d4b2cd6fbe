"""The blocks of a Markdown file: what is typed, and what is seen then.

A block ```sh holds commands alone, each on a line of its own, with a comment behind it or above it. A block ```text
that follows one is what its commands print. docs/tutorial.md is written so, and tests/docs run what they find.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional

from markdown_it import MarkdownIt

# What a comment says of a command that must fail: `make deploy    # ends with exit code 10`.
EXIT_CODE = re.compile(r"#.*\bexit code (\d+)")


@dataclass(frozen=True)
class Block:
    """A block of code at a line of its file; the lines are counted from 1."""

    path: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A line that is typed; `exit_code` is what it fails with, by its comment, `shown` what is seen then."""

    place: str
    text: str
    exit_code: Optional[int]
    shown: str = ""


def read_blocks(path: Path) -> List[Block]:
    """Return the fenced blocks of a Markdown file, in order."""
    tokens = MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8"))
    return [
        Block(path, token.map[0] + 1, token.info.strip(), token.content)
        for token in tokens
        if token.type == "fence" and token.map
    ]


def read_commands(path: Path) -> List[Command]:
    """Return what a file tells to type, in order; the last command of a block has what is shown behind it."""
    commands: List[Command] = []
    before: Optional[Block] = None
    for block in read_blocks(path):
        if block.language == "sh":
            commands += commands_of(block)
        elif block.language == "text" and before is not None and before.language == "sh":
            last = commands.pop()
            commands.append(Command(last.place, last.text, last.exit_code, block.text))
        before = block
    return commands


def commands_of(block: Block) -> List[Command]:
    """Return the commands of a block; a line that ends with a backslash goes on in the next."""
    commands = []
    lines = block.text.replace("\\\n", "\\\0").split("\n")
    for line in lines:
        typed = line.replace("\\\0", "\\\n").strip()
        if typed and not typed.startswith("#"):
            found = EXIT_CODE.search(typed)
            commands.append(Command(str(block), typed, int(found.group(1)) if found else None))
    return commands
