"""A repository as GitHub hosts it: what happens to it starts its workflows, which run on this machine."""

import itertools
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List

from esteira.local.cloud.scratch import clone_here
from esteira.settings import Settings
from tests.repositories import commit_all, run_git
from tests.setup.thin import thin_guard
from tests.workflows.act import Ran, may_ask_for_tokens, run_workflow

NAME = "owner/repository"
BRANCH = "main"
# What GitHub says was there before a branch's first push.
NONE = "0" * 40
# What a change is made to, as a person makes one, and how a line of it begins.
PLACES = {
    "model": ("modules/model.py", "# "),
    "pipeline": ("pipeline/__init__.py", "# "),
    "docs": ("README.md", ""),
}


@dataclass
class Repository:
    """A repository whose work tree `root` stands for its owner's and for GitHub's: what is committed there is pushed.

    `variables` are those of its settings. Every step of a workflow sees `environ`.
    """

    root: Path
    folder: Path
    variables: Dict[str, str]
    environ: Dict[str, str]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def head(self) -> str:
        return run_git(self.root, "rev-parse", "HEAD")

    def commit(self, **changes: str) -> str:
        """Commit lines that are added to files, such as model="another model"; return the commit."""
        for name, text in changes.items():
            path, start = PLACES[name]
            with (self.root / path).open("a", encoding="utf-8") as stream:
                stream.write(f"\n{start}{text}\n")
        return commit_all(self.root, ", ".join(changes.values()))

    def push(self, before: str = NONE, *, after: str = "", branch: str = BRANCH, forced: bool = False) -> Ran:
        """Run what a push starts that moves the branch from one commit to another, HEAD if none is given."""
        told = {"before": before, "after": after or self.head, "created": before == NONE, "deleted": False}
        return self.run("deploy.yaml", "push", {**told, "ref": f"refs/heads/{branch}", "forced": forced})

    def by_hand(self, mode: str) -> Ran:
        """Run what somebody starts by hand with the choice `mode`."""
        return self.run("deploy.yaml", "workflow_dispatch", {"ref": f"refs/heads/{BRANCH}", "inputs": {"mode": mode}})

    def pull_request_of_fork(self, base: str) -> Ran:
        """Run what a pull request of a fork starts; HEAD is what it would be merged to, `base` the branch's commit."""
        repositories = {"head": f"stranger/{NAME.partition('/')[2]}", "base": NAME}
        sides = {
            side: {"sha": sha, "ref": BRANCH, "repo": {"full_name": repositories[side], "fork": side == "head"}}
            for side, sha in (("head", run_git(self.root, "rev-parse", "HEAD^2")), ("base", base))
        }
        run_git(self.root, "update-ref", "refs/pull/1/merge", "HEAD")
        told = {"action": "opened", "number": 1, "pull_request": {"number": 1, **sides}}
        return self.run("check.yaml", "pull_request", told, is_fork=True)

    def run(self, name: str, event: str, told: Dict[str, Any], *, is_fork: bool = False) -> Ran:
        """Run a workflow for an event; a fork's sees neither variables nor what signs a job in, as on GitHub."""
        about = {"repository": {"full_name": NAME, "default_branch": BRANCH, "owner": {"login": "owner"}}}
        token = {} if is_fork or not may_ask_for_tokens(self.root, name) else {TOKEN: "given"}
        return run_workflow(
            self.root,
            name,
            event,
            {**about, **told},
            folder=self.folder / "runs" / str(next(self.numbers)),
            variables={} if is_fork else self.variables,
            environ={**self.environ, **token},
        )

    def signed_in(self) -> List[List[str]]:
        """Return, for each time that a job signed in, the event, the commit, the provider and the account."""
        path = Path(self.environ["SIGNED_IN"])
        return [line.split() for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


# With it a step asks GitHub for a token that says which workflow it is of.
TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"


def clone_repository(settings: Settings, folder: Path) -> Repository:
    """Return a repository of what is here, with an environment `dev`, which nobody has set up on GitHub."""
    root = clone_here(settings, "dev", folder)
    commit_all(root, "an environment")
    return host(root, folder)


def host(root: Path, folder: Path) -> Repository:
    """Put a work tree on GitHub: its branch is the default one."""
    run_git(root, "branch", "--move", "--force", BRANCH)
    run_git(root, "remote", "set-url", "origin", f"https://github.com/{NAME}.git")
    home = folder / "home"
    home.mkdir()
    environ = {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "ESTEIRA_VENV": str(environment_for(root, folder)),
        "ORIGIN": str(root),
        "SIGNED_IN": str(folder / "signed-in"),
    }
    return Repository(root, folder, {}, environ)


def environment_for(root: Path, folder: Path) -> Path:
    """Return what `make` takes for the environment of the repository's lock: this very interpreter stands in it.

    As that of requirements-thin.lock it refuses to import what that lock has not.
    """
    venv, guard = folder / "venv", thin_guard(folder / "guard")
    for layer, name in (
        (venv, "requirements"),
        (folder / "venv-dev", "requirements-dev"),
        (folder / "venv-thin", "requirements-thin"),
    ):
        python = layer / "bin" / "python"
        python.parent.mkdir(parents=True)
        also = f"PYTHONPATH={guard} " if name == "requirements-thin" else ""
        python.write_text(f'#!/bin/sh\n{also}exec {sys.executable} "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        for file in (f"{name}.lock", f"{name}.wheels"):
            if (root / file).exists():
                (layer / file).write_bytes((root / file).read_bytes())
    return venv
