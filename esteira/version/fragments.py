"""Fragments: a file in changes/ for each change of the engine that who uses it should hear of."""

import re
from pathlib import Path
from typing import List

from esteira.errors import SourceError
from esteira.git import EXPECTED_COMMIT, git_lines, git_or_empty, unquote
from esteira.version.changelog import CHANGELOG, FRAGMENTS
from esteira.version.state import refuse_no_repository

# What a version of the engine is made of; the rest is a fork's own, or for development.
ENGINE = ("cloudbuild/", "docker/", "esteira/", "sql/")
KINDS = ("added", "changed", "removed", "fixed", "security")
# towncrier's own form: + stands for a change that no issue has a number of.
NAME = re.compile(rf"{FRAGMENTS}/(\+[a-z0-9-]+|[0-9]+)\.({'|'.join(KINDS)})\.md")
README = f"{FRAGMENTS}/README.md"


def check_fragments(root: Path, base: str) -> str:
    """Return what was looked at; SourceError if the engine differs from `base`, "" being the default branch, untold."""
    start = common_commit(root, base or default_branch(root))
    changed = changed_since(root, start)
    refuse_misnamed(changed)
    engine = [path for path in changed if path.startswith(ENGINE)]
    if engine and not any(path == CHANGELOG or NAME.fullmatch(path) for path in changed):
        raise SourceError(
            f"{engine[0]}: changes the engine, and no file in {FRAGMENTS}/ tells of it.\n"
            f"Expected a sentence for those who use it, in a file such as {FRAGMENTS}/+short-name.fixed.md"
            f" ({', '.join(KINDS)}). {README} tells more."
        )
    told = f", and {FRAGMENTS}/ tells of it" if engine else ""
    return f"{len(engine)} files of the engine differ from {start[:12]}{told}"


def common_commit(root: Path, base: str) -> str:
    """Return the newest commit that both `base` and HEAD come from; SourceError if there is none."""
    refuse_no_repository(root)
    commit = git_or_empty(root, "merge-base", base, "HEAD")
    if not commit:
        raise SourceError(f"BASE={base}: shares no commit with HEAD. {EXPECTED_COMMIT}")
    return commit


def default_branch(root: Path) -> str:
    """Return the branch that changes go to, as a clone knows it: origin/main, say; else main."""
    return git_or_empty(root, "symbolic-ref", "--short", "refs/remotes/origin/HEAD") or "main"


def changed_since(root: Path, commit: str) -> List[str]:
    """Return the paths that the working tree has, or had at the commit, in another state; new fragments too."""
    tracked = git_lines(root, "diff", "--name-only", "--no-renames", commit, "--")
    new = git_lines(root, "ls-files", "--others", "--exclude-standard", "--", FRAGMENTS)
    return [unquote(path) for path in (*tracked, *new)]


def refuse_misnamed(paths: List[str]) -> None:
    wrong = [path for path in paths if path.startswith(f"{FRAGMENTS}/") and path != README and not NAME.fullmatch(path)]
    if wrong:
        raise SourceError(
            f"{wrong[0]}: is not named as a fragment is. Expected {FRAGMENTS}/+short-name.KIND.md, or an issue's "
            f"number for +short-name, and as KIND one of {', '.join(KINDS)}."
        )
