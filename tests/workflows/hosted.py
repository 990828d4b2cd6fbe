"""A repository as GitHub hosts it, whose workflows deploy to a project on this machine."""

import itertools
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from esteira.release.history import current_release, read_releases
from esteira.release.manifest import Release
from esteira.settings import Settings
from tests.deploy.whole import Whole, whole_project
from tests.repositories import commit_all, run_git
from tests.workflows.act import Ran, run_workflow

NAME = "owner/repository"
BRANCH = "main"
# What `make cloud-apply` prints for whoever sets the repository's variables.
VARIABLE = re.compile(r"gh variable set (\w+) --body (\S+)")
# Where steps find a token that says which workflow they are of; GitHub gives it to jobs with id-token: write.
TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"


@dataclass
class Hosted:
    """A repository, and the project that it deploys to.

    Its work tree `root` stands for its owner's and for GitHub's: what is committed to the branch is pushed.
    """

    whole: Whole
    folder: Path
    variables: Dict[str, str]
    environ: Dict[str, str]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def root(self) -> Path:
        return self.whole.root

    def commit(self, **changes: str) -> str:
        """Commit lines that are added to files, such as model="another" to modules/model.py; return the commit."""
        for name, text in changes.items():
            with (self.root / PLACES[name]).open("a", encoding="utf-8") as stream:
                stream.write(f"\n{COMMENT.get(name, '# ')}{text}\n")
        return commit_all(self.root, ", ".join(changes.values()))

    def push(self, before: str = "0" * 40, *, forced: bool = False) -> Ran:
        """Run what a push of the branch starts, which was at the commit `before`."""
        payload = {"before": before, "after": self.head, "created": False, "deleted": False, "forced": forced}
        return self.deploy("push", {"ref": f"refs/heads/{BRANCH}", **payload})

    def by_hand(self, mode: str) -> Ran:
        """Run what somebody starts by hand with the choice `mode`."""
        return self.deploy("workflow_dispatch", {"ref": f"refs/heads/{BRANCH}", "inputs": {"mode": mode}})

    def deploy(self, event: str, payload: Dict[str, Any]) -> Ran:
        return self.run(self.root, "deploy.yaml", event, payload, {TOKEN: "given"})

    def run(self, root: Path, name: str, event: str, payload: Dict[str, Any], environ: Dict[str, str]) -> Ran:
        about = {"repository": {"full_name": NAME, "default_branch": BRANCH, "owner": {"login": "owner"}}}
        return run_workflow(
            root,
            name,
            event,
            {**about, **payload},
            folder=self.folder / "runs" / str(next(self.numbers)),
            variables=self.variables,
            environ={**self.environ, **environ},
        )

    @property
    def head(self) -> str:
        return run_git(self.root, "rev-parse", "HEAD")

    def signed_in(self) -> List[List[str]]:
        """Return, for each time that a job signed in, the event, the commit, the provider and the account."""
        path = Path(self.environ["SIGNED_IN"])
        return [line.split() for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def served(self) -> Release:
        release = current_release(self.whole.store)
        assert release is not None
        return release

    def deploys(self) -> Tuple[int, int, int]:
        """Return how many releases, builds and runs there have been."""
        whole = self.whole
        return len(list(read_releases(whole.store))), len(whole.project.builds.known), len(whole.runs)


PLACES = {"model": "modules/model.py", "pipeline": "pipeline/__init__.py", "docs": "README.md"}
COMMENT = {"docs": ""}


ROWS = "text,label\n" + "".join(
    f"film {number} is {word},{label}\n"
    for number in range(60)
    for word, label in (("good", "positive"), ("bad", "negative"))
)


@contextmanager
def hosted_repository(settings: Settings, folder: Path) -> Iterator[Hosted]:
    """Serve a project, made ready for the workflows of a repository that nothing was deployed from yet."""
    with whole_project(settings, folder) as whole:
        root = whole.root
        run_git(root, "branch", "--move", "--force", BRANCH)
        run_git(root, "remote", "set-url", "origin", f"https://github.com/{NAME}.git")
        with (root / "esteira.toml").open("a", encoding="utf-8") as stream:
            stream.write(f'github = "{NAME}"\n\n[data]\nfile = "films.csv"\n')
        (root / "films.csv").write_text(ROWS, encoding="utf-8")
        commit_all(root, "who may deploy, and what is trained on")
        applied = whole.run("cloud-apply", YES="1")
        assert applied.code == 0, applied.text
        environ = {
            "HOME": str(folder / "home"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "ESTEIRA_VENV": str(environment_for(root, folder)),
            "ORIGIN": str(root),
            "SIGNED_IN": str(folder / "signed-in"),
            "STAND_INS": str(stand_ins(whole, folder)),
        }
        (folder / "home").mkdir()
        variables = dict(VARIABLE.findall(applied.text))
        if not variables:  # TEMPORARY
            old = dict(re.findall(r"(workload_identity_provider|service_account): (\S+)", applied.text))
            variables = {"ESTEIRA_ENV": "dev", **{f"ESTEIRA_{key.upper()}": value for key, value in old.items()}}
        yield Hosted(whole, folder, variables, environ)


def stand_ins(whole: Whole, folder: Path) -> Path:
    """Return a file of the variables that lead to the project's stand-ins."""
    path = folder / "stand-ins.env"
    path.write_text("".join(f"{name}={value}\n" for name, value in whole.project.variables.items()))
    return path


def environment_for(root: Path, folder: Path) -> Path:
    """Return what `make` takes for the environment of the repository's lock: this very interpreter stands in it."""
    venv = folder / "venv"
    for layer, name in ((venv, "requirements"), (folder / "venv-dev", "requirements-dev")):
        python = layer / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        for file in (f"{name}.lock", f"{name}.wheels"):
            if (root / file).exists():
                (layer / file).write_bytes((root / file).read_bytes())
    return venv


def commits_of(release: Optional[Release]) -> str:
    return release.commit if release else ""
