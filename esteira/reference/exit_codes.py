"""exit-codes.md: the code of every error class, from the class and its docstring."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any, Dict, Iterator, NamedTuple, Tuple

from esteira.edge import DEFECT_EXIT_CODE
from esteira.reference.faults import Faults

NEXT = "Next: "
CODE = re.compile(r"^    exit_code = [0-9]+$", re.MULTILINE)
# The base, whose code no error is meant to leave with.
BASE = "EsteiraError"


class Code(NamedTuple):
    """An exit code: what it means, what to do next, and the class that has it."""

    code: int
    meaning: str
    next: str
    name: str = ""
    path: str = ""


# Those that no error class has.
OTHERS = (
    Code(0, "It is done, or there was nothing to do", "nothing"),
    Code(
        1,
        "A program that make runs failed: the set-up, a lock, a test, a lint",
        "read its output: it says what is wrong, and the set-up also how to mend it",
    ),
    Code(
        2,
        "Make's own, whatever failed behind it; also a target, variable, task or flag that does not exist",
        "look for `Error <code>` in make's last line, and here for that code",
    ),
    Code(
        DEFECT_EXIT_CODE,
        "A defect of Esteira",
        "the message names the file that holds the traceback; tell us, with that file",
    ),
)


def exit_codes_page(root: Path) -> Dict[str, Any]:
    """Return what the page is made of; TemplateError for an error class that does not say what to do next."""
    faults = Faults()
    found = list(read_codes(root))
    for code in found:
        place = f"{code.path}: {code.name}"
        faults.expect(code.meaning, place, "a docstring whose first paragraph says what it means")
        faults.expect(code.next, place, f'a paragraph of its docstring that begins with "{NEXT.strip()}"')
    faults.check()
    return {"codes": sorted([*OTHERS, *found])}


def read_codes(root: Path) -> Iterator[Code]:
    """Yield the code of each class of the engine that has one of its own."""
    for path in sorted((root / "esteira").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not CODE.search(text):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and node.name != BASE:
                yield from codes_of(node, str(path.relative_to(root)))


def codes_of(node: ast.ClassDef, path: str) -> Iterator[Code]:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and is_exit_code(statement.targets[0]):
            meaning, then = said_by(ast.get_docstring(node) or "")
            yield Code(ast.literal_eval(statement.value), meaning, then, node.name, path)


def is_exit_code(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "exit_code"


def said_by(docstring: str) -> Tuple[str, str]:
    """Return the first paragraph of a docstring, and the one that says what to do next, "" where there is none."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in inspect.cleandoc(docstring).split("\n\n")]
    then = [paragraph[len(NEXT) :] for paragraph in paragraphs if paragraph.startswith(NEXT)]
    return paragraphs[0].rstrip("."), (then or [""])[0]
