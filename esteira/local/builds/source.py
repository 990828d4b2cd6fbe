"""What a build on this machine is made from: a commit, or the working tree as it is."""

import ast
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

from esteira.errors import BuildError, ProgramError
from esteira.process import run_program

SHORT_LENGTH = 7


@dataclass(frozen=True)
class Source:
    """The repository at `root` and its state when the build was asked for.

    `commit` is empty before the first commit and `branch` where none is checked out;
    `changed` counts the files of the working tree that differ from the commit.
    """

    root: Path
    commit: str
    branch: str
    changed: int
    repository: str

    @property
    def short(self) -> str:
        """The first seven characters of the commit, as Cloud Build's $SHORT_SHA has them."""
        return self.commit[:SHORT_LENGTH]

    @property
    def is_dirty(self) -> bool:
        return not self.commit or self.changed > 0

    def describe(self) -> str:
        """Return one plain line that says what is built."""
        if not self.commit:
            return f"the working tree, {count(self.changed)}; there is no commit yet"
        where = f" ({self.branch})" if self.branch else ""
        if self.changed:
            return f"the working tree, not a commit: {count(self.changed)} differ from {self.short}{where}"
        return f"commit {self.short}{where}"


def count(files: int) -> str:
    return "1 file" if files == 1 else f"{files} files"


def read_source(root: Path, without: str = "") -> Source:
    """Return the source in a git repository's folder.

    The file `without`, an absolute path, does not make it differ from its commit: data that is
    trained on is named by its content and is no source. Raises BuildError if the folder is in no repository.
    """
    try:
        inside = git(root, "rev-parse", "--is-inside-work-tree").strip()
    except ProgramError as error:
        raise BuildError(
            f"{root}: git finds no repository here.\n{error}\n"
            "Expected a clone. Clone the repository, or run: git init && git add --all && git commit"
        ) from None
    if inside != "true":
        raise BuildError(f"{root}: is a git folder without a working tree. Run the build in a clone.")
    return Source(
        root=root,
        commit=git_or_empty(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"),
        branch=git_or_empty(root, "symbolic-ref", "--quiet", "--short", "HEAD"),
        changed=sum(root / path != Path(without) for path in changed_files(root)),
        repository=repository_name(root),
    )


def changed_files(root: Path) -> List[str]:
    """Return the paths under `root` that git status names: changed, new or deleted."""
    listed = git(root, "status", "--porcelain", "--no-renames", "--untracked-files=all", "--", ".")
    return [unquote(line[3:]) for line in listed.splitlines()]


def unquote(path: str) -> str:
    """Return a path that git printed, C-quoted where it holds anything unusual.

    Git's escapes are those of a bytes literal, so that line breaks and bytes of no encoding survive.
    https://git-scm.com/docs/git-config#Documentation/git-config.txt-corequotePath
    """
    return os.fsdecode(ast.literal_eval(f"b{path}")) if path.startswith('"') else path


def repository_name(root: Path) -> str:
    """Return the last part of the URL of `origin`, else of the folder's name."""
    url = git_or_empty(root, "config", "--get", "remote.origin.url")
    name = url.rstrip("/").replace(":", "/").rpartition("/")[2]
    return name[: -len(".git")] if name.endswith(".git") else name or root.resolve().name


def git(root: Path, *arguments: str, index: str = "") -> str:
    """Run git in a folder and return its output; see `unquote` for the paths in it."""
    return run_program(
        ["git", "-c", "core.quotePath=true", *arguments],
        cwd=root,
        env=git_environment(index),
        install_hint="Install git, version 2.18 or newer.",
    )


def git_or_empty(root: Path, *arguments: str) -> str:
    """Return git's answer in one line, empty where it has none."""
    try:
        return git(root, *arguments).strip()
    except ProgramError:
        return ""


def git_environment(index: str) -> Dict[str, str]:
    """Return the environment without what a git hook sets, which would name another repository."""
    kept = ("GIT_SSL_", "GIT_CONFIG_", "GIT_EXEC_PATH", "GIT_TRACE")
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(kept)
    }
    environ.update({"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"})
    if index:
        environ["GIT_INDEX_FILE"] = index
    return environ
