"""What the Makefile says of its targets: their groups, their help and what they run."""

import re
from pathlib import Path
from typing import List, NamedTuple, Tuple

GROUP = re.compile(r"^##@ (.+)$")
TARGET = re.compile(r"^([a-z][a-z-]*):([^#]*)(?:## (.*))?$")
# What a recipe is begun with, and how somebody would type it.
PROGRAMS = (
    ("$(invoke) ", "inv "),
    ("$(dev) -m invoke ", "inv "),
    ("$(dev) -m ", "python -m "),
    ("$(tool) ", ""),
    ("$(python) -m ", "python -m "),
    ("$(python)", ""),
    ("@", ""),
)
# Behind a command: what make fills in, and what is done where the command fails.
REST = re.compile(r"(?<=.) (?:\$\(if|\|\|) .*")


class Target(NamedTuple):
    """A target: its help, the targets that it needs, and the commands that it runs."""

    name: str
    group: str
    help: str
    needs: Tuple[str, ...]
    commands: Tuple[str, ...]

    @property
    def task(self) -> str:
        """The Invoke task that it calls, "" if none."""
        words = self.commands[0].split() if self.commands else []
        return words[1] if words[:1] == ["inv"] else ""


def read_targets(root: Path) -> List[Target]:
    """Return the targets in the order of the Makefile, those without help too."""
    found: List[Target] = []
    group = ""
    for line in (root / "Makefile").read_text(encoding="utf-8").splitlines():
        heading, target = GROUP.match(line), TARGET.match(line)
        if heading:
            group = heading.group(1)
        elif target:
            name, needs, help_text = target.groups()
            found.append(Target(name, group, (help_text or "").strip(), tuple(needs.split()), ()))
        elif line.startswith("\t") and found:
            found[-1] = found[-1]._replace(commands=(*found[-1].commands, typed(line.strip())))
    return found


def typed(recipe: str) -> str:
    """Return a line of a recipe as somebody would type it, without what make alone puts in or does if it fails."""
    command = REST.sub("", recipe)
    for begin, instead in PROGRAMS:
        if command.startswith(begin):
            return instead + command[len(begin) :]
    return command
