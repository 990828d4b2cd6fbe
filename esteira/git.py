"""The one way in which Esteira runs git, and how it reads what git prints."""

import ast
import os
import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from esteira.errors import ProgramError
from esteira.process import run_program

TIMEOUT_S = 600
GITLINK = "160000"
LINK = "120000"
# How git, the other side and ssh begin what went wrong; git goes on with advice.
COMPLAINT = re.compile(r"(fatal|error|ssh): |remote: *\S|Host key verification failed|\S+: Permission denied")
# What to give where a commit is to be named, and is not found.
EXPECTED_COMMIT = (
    "Expected a hash, a branch or a tag, such as BASE=HEAD~1.\nA shallow clone has few of them: git fetch --unshallow"
)
# What a caller may set for git. Anything else, as a hook sets it, would name another repository.
KEPT = ("GIT_SSH", "GIT_SSL_", "GIT_CONFIG_", "GIT_EXEC_PATH", "GIT_TRACE")


def git(
    folder: Path,
    *arguments: str,
    variables: Optional[Mapping[str, str]] = None,
    config: Sequence[Tuple[str, str]] = (),
    input_text: Optional[str] = None,
    timeout_s: float = TIMEOUT_S,
) -> str:
    """Run git in a folder and return its output; see `unquote` for the paths in it.

    `variables` are added to its environment. `config` goes there too and not into the command,
    which others can see and errors print, as it may hold a password. Raises ProgramError.
    """
    return run_program(
        ["git", "-c", "core.quotePath=true", *arguments],
        cwd=folder,
        env=git_environment(variables or {}, config),
        input_text=input_text,
        timeout_s=timeout_s,
        install_hint="Install git, version 2.18 or newer.",
    )


def git_lines(folder: Path, *arguments: str, **options: Any) -> List[str]:
    """Return the lines that git prints. Unlike str.splitlines, as the name of a branch may hold U+2028 and the like."""
    return git(folder, *arguments, **options).split("\n")[:-1]


def git_complaint(error: ProgramError) -> str:
    """Return the one line that says what went wrong, else the last one."""
    lines = str(error).split("\n")
    return next((line for line in lines if COMPLAINT.match(line)), lines[-1])


def git_or_empty(folder: Path, *arguments: str) -> str:
    """Return git's answer in one line, empty where it has none."""
    try:
        return git(folder, *arguments).strip()
    except ProgramError:
        return ""


def git_environment(variables: Mapping[str, str], config: Sequence[Tuple[str, str]]) -> Dict[str, str]:
    """Return the caller's environment with what git is to see besides.

    https://git-scm.com/docs/git-config#Documentation/git-config.txt-GITCONFIGCOUNT
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name.startswith(KEPT)}
    environ = {**kept, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **variables}
    if config:
        first = int(environ.get("GIT_CONFIG_COUNT") or 0)
        for number, (key, value) in enumerate(config, first):
            environ.update({f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value})
        environ["GIT_CONFIG_COUNT"] = str(first + len(config))
    return environ


def git_path(folder: Path, name: str) -> Path:
    """Return where the repository has its `index`, `objects` or `shallow`: a worktree shares some with others."""
    return folder / git(folder, "rev-parse", "--git-path", name).rstrip("\n")


def alternates(objects: Path) -> Dict[str, str]:
    """Return the variable that lets git read a further folder of objects, quoted as the folder may hold a colon."""
    escaped = str(objects).replace("\\", "\\\\").replace('"', '\\"')
    return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{escaped}"'}


def unquote(path: str) -> str:
    """Return a path that git printed, C-quoted where it holds anything unusual.

    Git's escapes are those of a bytes literal, so that line breaks and bytes of no encoding survive.
    https://git-scm.com/docs/git-config#Documentation/git-config.txt-corequotePath
    """
    return os.fsdecode(ast.literal_eval(f"b{path}")) if path.startswith('"') else path


def list_tree(folder: Path, tree: str, variables: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """Return the files of a tree object: path to "mode id", as 100644 and the id of its blob."""
    files = {}
    for line in git_lines(folder, "ls-tree", "-r", "--full-tree", tree, variables=variables):
        entry, _, path = line.partition("\t")
        mode, _, name = entry.split(" ")
        files[unquote(path)] = f"{mode} {name}"
    return files
