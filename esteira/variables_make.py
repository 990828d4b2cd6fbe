"""esteira/setup/variables.mk: the table of variables as make and a shell's completion read it, without any Python."""

import re
from pathlib import Path
from typing import Iterator, List, Tuple

from esteira.errors import TemplateError
from esteira.files import write_text
from esteira.variables import EVERY, OTHER_FORMATS, VARIABLES, environment_name, formats_of

PATH = Path("esteira") / "setup" / "variables.mk"
HEAD = """\
# Made by make generate from esteira/variables.py; do not edit.
# Of each variable: the targets that read it, the name that it is handed on by where that is another (_IS), what may
# stand in it, of all targets or of one, where that is one of a few words, and what make help TARGET tells of it.
"""
# One of a few words, as "fork, process or container".
WORDS = re.compile(r"\w+(, \w+)* or \w+")
# The names of what can go wrong in a rehearsal: its scenarios, which are too heavy to ask here.
FAULTS = ("expired", "api", "role", "region", "passing", "denied", "quota", "log", "task", "blessing", "none")


def make_variables() -> str:
    """Return the whole file."""
    return HEAD + "".join(f"{line}\n" for line in lines())


def lines() -> Iterator[str]:
    every = [name for name, variable in VARIABLES.items() if variable.targets == EVERY]
    yield f"VARIABLES := {' '.join(VARIABLES)}"
    yield f"OF_EVERY_TARGET := {' '.join(every)}"
    for name, variable in VARIABLES.items():
        if variable.targets:
            yield f"{name}_OF := {' '.join(variable.targets)}"
        if variable.setting:
            yield f"{name}_IS := {environment_name(name).partition('_')[2]}"
        for target, words in choices(name):
            yield f"{name}_MAY_BE{target and '_' + target} := {' '.join(words)}"
        yield f"{name}_EXAMPLE := {quoted(variable.example)}"
        yield f"{name}_MEANS := {quoted(variable.meaning)}"
        yield f"{name}_VALUES := {quoted(variable.values)}"
        yield f"{name}_ELSE := {quoted(variable.default)}"


def choices(name: str) -> Iterator[Tuple[str, List[str]]]:
    """Yield (target, words) where a variable is one of a few words; the target is "" where it is so of all of them."""
    if name == "FORMAT":
        yield "", list(formats_of("show"))
        yield from ((target, list(words)) for target, words in OTHER_FORMATS.items())
    elif name == "FAULT":
        yield "", list(FAULTS)
    elif WORDS.fullmatch(VARIABLES[name].values):
        yield "", re.split(r", | or ", VARIABLES[name].values)


def quoted(text: str) -> str:
    """Return a text as make reads it: # begins a comment, and $ a variable."""
    return text.replace("$", "$$").replace("#", "\\#")


def write_variables(root: Path) -> None:
    """Write the file into the repository at `root`."""
    write_text(root / PATH, make_variables())


def check_variables(root: Path) -> None:
    """Raise TemplateError unless the committed file is what the table gives."""
    path = root / PATH
    if not path.exists() or path.read_text(encoding="utf-8") != make_variables():
        raise TemplateError(f"{PATH}: is not what esteira/variables.py gives. Run: make generate")
