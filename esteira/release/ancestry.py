"""How two commits are related, also where a clone has not the whole history."""

import re
from pathlib import Path
from typing import List, NamedTuple, Optional, Tuple

from typing_extensions import Literal

from esteira.errors import ProgramError, StateError
from esteira.files import telling_os_errors
from esteira.git import alternates, git, git_complaint, git_or_empty, git_path
from esteira.locks import locked
from esteira.source.scratch import keep_out_of_git

FOLDER = "history.git"
FETCH_TIMEOUT_S = 60
PUBLISHED = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
# Of the repository's own configuration what it takes to reach origin; a user's global one counts anyway.
REACHING = re.compile(
    r"(http|url|credential|protocol|ssh)\..*|core\.(sshcommand|gitproxy)|remote\.origin\.(url|proxy.*|uploadpack|vcs)"
)
# Nobody is asked for a password, on a terminal or in a window.
UNATTENDED = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "GCM_INTERACTIVE": "never"}
UNATTENDED_SSH = ("core.sshCommand", "ssh -o BatchMode=yes")
# A commit that is missing is not looked for elsewhere, as a partial clone would.
OFFLINE = ("-c", "protocol.allow=never")

Kind = Literal["same", "ancestor", "descendant", "diverged", "unknown"]


class Relation(NamedTuple):
    """What one commit is to another, and, where that is unknown, why."""

    kind: Kind
    why: str = ""


def relate(root: Path, state: Path, commit: str, here: str) -> Relation:
    """Return what `commit` is to `here`: "ancestor" if it is in its history.

    Either may be "", the state before the first commit, which is in every history. A commit that the
    repository has not, or a shallow clone, whose history is cut off, is looked for in origin, of
    which only commits are fetched, to <state>/history.git; so the answer is that of a full clone.
    """
    if commit == here:
        return Relation("same")
    if not commit:
        return Relation("ancestor")
    if not here:
        return Relation("unknown", "as there is no commit here yet")
    found = compare(root, commit, here)
    if found in ("ancestor", "descendant") or (found == "diverged" and not is_shallow(root)):
        return Relation(found)
    return ask_origin(root, state, commit, here)


def compare(folder: Path, commit: str, here: str, objects: Optional[Path] = None) -> Optional[Kind]:
    """Return how the commits are related by what the repository has, None if one of them is missing.

    In a shallow clone "diverged" may be wrong, as each history ends where it is cut off.
    """
    command = ["rev-list", "--left-right", "--count", f"{commit}...{here}", "--"]
    try:
        counts = git(folder, *OFFLINE, *command, variables=alternates(objects) if objects else {})
    except ProgramError:
        return None
    left, right = map(int, counts.split())
    return "diverged" if left and right else "descendant" if left else "ancestor"


def is_shallow(root: Path) -> bool:
    return git(root, "rev-parse", "--is-shallow-repository").strip() == "true"


def ask_origin(root: Path, state: Path, commit: str, here: str) -> Relation:
    """Return the relation by the history of origin, to which commits that are only here are added."""
    if not git_or_empty(root, "config", "--get", "remote.origin.url"):
        return Relation("unknown", "and there is no remote origin to ask")
    history, objects = make_history(root, state), git_path(root, "objects").absolute()
    why = "and origin has not its history"
    with locked(history):
        found = compare(history, commit, here, objects)
        for references in (PUBLISHED, cut_off_at(root)):
            if found is None and references:
                why = fetch_commits(root, history, references) or why
                found = compare(history, commit, here, objects)
    return Relation(found) if found else Relation("unknown", why)


def make_history(root: Path, state: Path) -> Path:
    """Return a bare repository in the state folder, which is made if there is none."""
    history = state / FOLDER
    with telling_os_errors("make a repository", history):
        history.mkdir(parents=True, exist_ok=True)
        keep_out_of_git(root, state)
        with locked(history):
            init_history(history)
    return history


def init_history(history: Path) -> None:
    try:
        git(history, "init", "--quiet", "--bare", "--template=", ".")
    except ProgramError as error:
        raise StateError(
            f"{history}: cannot make a repository: {git_complaint(error)}\n"
            "Expected a writable folder with free space. "
            "Free some space or mend the permissions, then run the command again."
        ) from error


def cut_off_at(root: Path) -> Tuple[str, ...]:
    """Return the commits whose parents a shallow clone has not, a pull request's merge commit for one."""
    shallow = git_path(root, "shallow")
    return tuple(shallow.read_text(encoding="ascii").split()) if shallow.exists() else ()


def fetch_commits(root: Path, history: Path, references: Tuple[str, ...]) -> str:
    """Fetch commits with neither folders nor files; return what went wrong, in one line, else nothing."""
    # A relative URL starts from the top of the working tree.
    top = root / git(root, "rev-parse", "--show-cdup").rstrip("\n")
    command = ["-c", "gc.auto=0", f"--git-dir={history}", "fetch", "--quiet", "--no-tags", "--filter=tree:0", "origin"]
    config = reaching_origin(root)
    try:
        git(top, *command, *references, variables=UNATTENDED, config=config, input_text="", timeout_s=FETCH_TIMEOUT_S)
    except ProgramError as error:
        return f"and origin cannot be asked: {git_complaint(error)}"
    return ""


def reaching_origin(root: Path) -> List[Tuple[str, str]]:
    """Return the repository's own configuration of the way to origin, with what it includes from other files.

    Its file is not just included: actions/checkout keeps the token in another one, which counts only
    for the repository's own folder.
    """
    listed = git_or_empty(root, "config", "--local", "--includes", "--null", "--list").split("\0")
    entries = [entry.partition("\n") for entry in listed]
    config = [(key, value if newline else "true") for key, newline, value in entries if REACHING.fullmatch(key)]
    return config if git_or_empty(root, "config", "--get", "core.sshCommand") else [UNATTENDED_SSH, *config]
