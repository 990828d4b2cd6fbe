"""What `make doctor` looks at in this clone: git, the history, submodules, what is not committed."""

import re
import shutil
from pathlib import Path
from typing import Iterator, Mapping

from esteira.doctor.finding import Finding
from esteira.errors import ProgramError, SourceError
from esteira.git import git, git_complaint
from esteira.process import run_program
from esteira.release.ancestry import is_shallow
from esteira.source.status import read_status

# The first git with all that is asked of it here.
OLDEST_GIT = (2, 18)
INSTALL = "Install git, version 2.18 or newer: releases are made of commits"


def check_git(environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        version = run_program(["git", "--version"], env=environ, timeout_s=30).strip().rpartition("version ")[2]
    except ProgramError as error:
        yield Finding("git", False, str(error).splitlines()[0], INSTALL)
        return
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    yield Finding("git", numbers >= OLDEST_GIT, version, "" if numbers >= OLDEST_GIT else INSTALL)


def check_clone(root: Path) -> Iterator[Finding]:
    """Yield the commit and what differs from it, whether the history is whole, and submodules, which no part holds."""
    if not shutil.which("git"):
        return  # as check_git tells
    try:
        status = read_status(root, [])
    except (SourceError, ProgramError) as error:
        said = git_complaint(error) if isinstance(error, ProgramError) else "is in no git repository"
        yield Finding("clone", False, said, "Clone the repository, or run: git init && git add --all && git commit")
        return
    if not status.commit:
        yield Finding(
            "clone", None, "nothing is committed yet", "A deploy takes the files as they are. Run: git commit"
        )
        return
    changed = status.number_of_files()
    differs = f", and {changed} file{'s' * (changed != 1)} that differ{'s' * (changed == 1)} from it" if changed else ""
    yield Finding("clone", True, f"commit {status.commit[:7]}{differs}")
    if is_shallow(root):
        remedy = "Only the order of commits is harder to tell. Run: git fetch --unshallow"
        yield Finding("history", None, "is cut off: this is a shallow clone", remedy)
    yield from check_submodules(root)
    for nested in status.nested:
        remedy = f"Nothing below it is part of a release. Move it, or add it to .gitignore: {nested}"
        yield Finding("clone", None, f"{nested} is a repository of its own", remedy)


def check_submodules(root: Path) -> Iterator[Finding]:
    """Yield each submodule that is not as the commit has it: absent, or changed."""
    try:
        lines = git(root, "submodule", "status").splitlines()
    except ProgramError:
        return
    states = {"-": "is not checked out", "+": "is at another commit than this one has", "U": "has conflicts"}
    for line in lines:
        if line[:1] in states:
            name = line[1:].split()[1]
            yield Finding("submodule", None, f"{name} {states[line[0]]}", "Run: git submodule update --init")
