"""What documents hold between their words can be typed: every block of code reads as its language has it."""

import json
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Tuple

import pytest
import tomli
import yaml
from markdown_it import MarkdownIt

from esteira.variables import VARIABLES
from tests.conftest import REPOSITORY
from tests.docs.blocks import Block, commands_of, read_blocks
from tests.repositories import run_git

TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
TYPED = re.compile(r"\bmake(?: -s)? (?P<target>[a-z][a-z-]*)(?P<variables>(?: [A-Z]+=\S*)*)")


def check_shell(text: str) -> None:
    done = subprocess.run(["sh", "-n"], input=text, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr


def check_python(text: str) -> None:
    """Raise SyntaxError for what is no Python; the lines of a function, with their indentation, are."""
    compile("def block():\n" + textwrap.indent(textwrap.dedent(text), "    "), "block", "exec")


LANGUAGES: Dict[str, Callable[[str], object]] = {
    "": str,
    "json": json.loads,
    "python": check_python,
    "sh": check_shell,
    "sql": str,
    "text": str,
    "toml": tomli.loads,
    "yaml": yaml.safe_load,
}


def documents() -> List[Path]:
    """Return the documents that are committed, or would be."""
    listed = run_git(REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
    return [REPOSITORY / name for name in listed.splitlines() if (REPOSITORY / name).is_file()]


def blocks() -> List[Block]:
    return [block for path in documents() for block in read_blocks(path)]


@pytest.mark.programs
def test_a_block_reads_as_its_language_has_it() -> None:
    for block in blocks():
        assert block.language in LANGUAGES, f"{block}: {block.language!r} is none of {sorted(LANGUAGES)}"
        try:
            LANGUAGES[block.language](block.text)
        except (AssertionError, SyntaxError, ValueError, yaml.YAMLError) as error:
            raise AssertionError(f"{block}: no {block.language}: {error}") from error


@pytest.mark.programs
def test_a_target_takes_the_variables_that_are_shown_behind_it() -> None:
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{line}: {said}"
        for path in documents()
        for line, text in code_of(path)
        for found in TYPED.finditer(text)
        for said in faults(found)
    ]
    assert wrong == []


def code_of(path: Path) -> Iterator[Tuple[int, str]]:
    """Yield what a document shows as code, in blocks and between words, with its line."""
    for token in MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8")):
        line = token.map[0] + 1 if token.map else 0
        if token.type in ("fence", "code_block"):
            yield line, token.content
        for child in token.children or []:
            if child.type == "code_inline":
                yield line, child.content


def faults(found: "re.Match[str]") -> Iterator[str]:
    """Yield what is wrong with a command: a variable that its target does not take."""
    target = found.group("target")
    if target not in TARGETS:  # tests/test_messages.py tells of those.
        return
    for name in re.findall(r"([A-Z]+)=", found.group("variables")):
        variable = VARIABLES.get(name)
        if variable is None or (variable.targets and target not in variable.targets):
            yield f"make {target} {name}=: it takes none of this name"


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("make plan\n", [("make plan", None)]),
        ("# first\n\nmake plan   # none\n", [("make plan   # none", None)]),
        ("make deploy   # ends with exit code 10\n", [("make deploy   # ends with exit code 10", 10)]),
        ("curl a \\\n  -d b\nmake plan\n", [("curl a \\\n  -d b", None), ("make plan", None)]),
    ],
)
def test_the_commands_of_a_block_are_its_lines(text: str, typed: List[Tuple[str, object]]) -> None:
    block = Block(Path("a.md"), 3, "sh", text)
    assert [(command.text, command.exit_code) for command in commands_of(block)] == typed
