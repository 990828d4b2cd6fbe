"""Every command that a message or a page tells somebody to type exists."""

import ast
import re
from pathlib import Path
from typing import Iterator, List, Set, Tuple

import pytest

from tests.conftest import REPOSITORY

PLACES = ("esteira", "modules", "pipeline", "cloudbuild", "docs", "README.md", "esteira.toml", "tasks.py")
SUFFIXES = (".py", ".sh", ".md", ".j2", ".yaml", ".toml", ".pbtxt")
# What tells a command from the verb: a line's start, a quote or colon, a variable, or "Run", "or" and the like.
BEFORE = r"(?:^|\\n *|[`\"'(:] ?|[A-Z]=\S+ |\b(?:by|or|run|Run|then|type|with) |/)"
# The verb, at a line's start or after a quote.
PROSE = {"a", "the"}


def sources() -> Iterator[Path]:
    for place in PLACES:
        path = REPOSITORY / place
        yield from (path.rglob("*") if path.is_dir() else [path])


def named_commands(program: str) -> List[Tuple[str, str]]:
    """Return (place, word) of each word that follows a program's name."""
    found = []
    for path in sources():
        if path.suffix not in SUFFIXES or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for word in re.findall(rf"{BEFORE}{program} ([a-z][a-z-]*)", line):
                found.append((f"{path.relative_to(REPOSITORY)}:{number}", word))
    return found


def make_targets() -> Set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def invoke_tasks() -> Set[str]:
    tree = ast.parse((REPOSITORY / "tasks.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {node.name.replace("_", "-") for node in functions if any(map(is_task, node.decorator_list))}


def is_task(decorator: ast.expr) -> bool:
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(name, ast.Name) and name.id == "task"


@pytest.mark.parametrize(
    ("program", "known"), [("make", make_targets() | PROSE), ("inv", invoke_tasks())], ids=["make", "inv"]
)
def test_every_command_that_is_named_can_be_typed(program: str, known: Set[str]) -> None:
    found = named_commands(program)
    assert found, "nothing was read"
    assert [f"{place}: {program} {word}" for place, word in found if word not in known] == []
