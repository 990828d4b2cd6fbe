"""Every file is as .editorconfig tells editors to write it."""

import configparser
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest

from tests.conftest import REPOSITORY
from tests.repositories import run_git

TOP = "top"


def sections() -> List[Tuple[List[str], Dict[str, str]]]:
    """Return the patterns of each section, braces written out, with what it sets."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.read_string(f"[{TOP}]\n{(REPOSITORY / '.editorconfig').read_text(encoding='utf-8')}")
    return [(alternatives(name), dict(parser[name])) for name in parser.sections() if name != TOP]


def alternatives(pattern: str) -> List[str]:
    braces = re.fullmatch(r"(.*)\{(.*)\}(.*)", pattern)
    return [f"{braces[1]}{one}{braces[3]}" for one in braces[2].split(",")] if braces else [pattern]


def rules_of(path: str) -> Dict[str, str]:
    """Return what holds for a file: of sections that contradict one another the last. A pattern with a / is a path."""
    rules: Dict[str, str] = {}
    for patterns, values in sections():
        if any(fnmatchcase(path if "/" in pattern else path.rpartition("/")[2], pattern) for pattern in patterns):
            rules.update(values)
    return rules


def faults(path: str, content: bytes, rules: Dict[str, str]) -> Iterator[str]:
    text = content.decode()  # charset
    if rules["end_of_line"] == "lf" and "\r" in text:
        yield f"{path}: has carriage returns"
    if rules["insert_final_newline"] == "true" and text and not text.endswith("\n"):
        yield f"{path}: does not end with a line break"
    for number, line in enumerate(text.split("\n"), 1):
        if rules["trim_trailing_whitespace"] == "true" and line != line.rstrip():
            yield f"{path}:{number}: ends with white space"
        if line.startswith("\t" if rules["indent_style"] == "space" else " "):
            yield f"{path}:{number}: is not indented with a {rules['indent_style']}"


@pytest.mark.programs
def test_every_file_is_as_editors_are_told_to_write_it() -> None:
    names = run_git(REPOSITORY, "-c", "core.quotePath=false", "ls-files").splitlines()
    paths = [(name, REPOSITORY / name) for name in names]
    found = [
        fault for name, path in paths if is_text(path) for fault in faults(name, path.read_bytes(), rules_of(name))
    ]
    assert found == []
    assert len(names) > 900


def is_text(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and b"\0" not in path.read_bytes()


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("esteira/a.py", b"a \n", "esteira/a.py:1: ends with white space"),
        ("esteira/a.py", b"if a:\n\tb\n", "esteira/a.py:2: is not indented with a space"),
        ("a.yaml", b"a: 1", "a.yaml: does not end with a line break"),
        ("docs/a.md", b"a\r\n", "docs/a.md: has carriage returns"),
        ("Makefile", b"a:\n    b\n", "Makefile:2: is not indented with a tab"),
    ],
)
def test_what_is_otherwise_is_told_with_its_line(path: str, content: bytes, told: str) -> None:
    assert told in list(faults(path, content, rules_of(path)))
