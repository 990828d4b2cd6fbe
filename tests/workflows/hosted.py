"""A repository on GitHub, whose workflows deploy to a project on this machine."""

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Iterator, List, Tuple

from esteira.release.history import current_release, read_releases
from esteira.release.manifest import PARTS, Release
from esteira.settings import Settings
from tests.deploy.whole import Whole, whole_project
from tests.repositories import commit_all
from tests.workflows.repository import NAME, Repository, host

# What `make cloud-apply` prints for whoever sets the repository's variables.
VARIABLE = re.compile(r"gh variable set (\w+) --body (\S+)")
ROWS = "text,label\n" + "".join(
    f"film {number} is {word},{label}\n"
    for number in range(60)
    for word, label in (("good", "positive"), ("bad", "negative"))
)
# Of the environment, whose table is the last in esteira.toml; what is trained on; no pauses between two looks at a run.
SETTINGS = f"""\
github = "{NAME}"

[data]
file = "films.csv"

[cloud]
poll_s = 1
"""


@dataclass
class Hosted:
    """A repository, and the project that it deploys to."""

    repository: Repository
    whole: Whole

    def served(self) -> Release:
        release = current_release(self.whole.store)
        assert release is not None
        return release

    def is_deployed(self) -> bool:
        """Whether what HEAD holds is served."""
        return self.whole.run("plan", FORMAT="word").text == "none\n"

    def made(self) -> Tuple[int, int, int]:
        """Return how many releases, builds and runs there have been."""
        whole = self.whole
        return len(list(read_releases(whole.store))), len(whole.project.builds.known), len(whole.runs)

    def without_variables(self) -> Repository:
        """Return the same repository, where nobody has said yet where to deploy to."""
        return replace(self.repository, variables={})


def changed(before: Release, after: Release) -> List[str]:
    """Return the parts in which two releases differ."""
    return [name for name in PARTS if before.parts[name] != after.parts[name]]


@contextmanager
def hosted_repository(settings: Settings, folder: Path) -> Iterator[Hosted]:
    """Serve a project, made ready for the workflows of a repository that nothing was deployed from yet."""
    with whole_project(settings, folder) as whole:
        with (whole.root / "esteira.toml").open("a", encoding="utf-8") as stream:
            stream.write(SETTINGS)
        (whole.root / "films.csv").write_text(ROWS, encoding="utf-8")
        commit_all(whole.root, "who may deploy, and what is trained on")
        applied = whole.run("cloud-apply", YES="1")
        assert applied.code == 0, applied.text
        repository = host(whole.root, folder)
        repository.variables.update(VARIABLE.findall(applied.text))
        repository.environ["STAND_INS"] = str(stand_ins(whole, folder))
        yield Hosted(repository, whole)


def stand_ins(whole: Whole, folder: Path) -> Path:
    """Return a file of the variables that lead to the project's stand-ins, for those who sign in."""
    path = folder / "stand-ins.env"
    lines = [f"{name}={value}\n" for name, value in whole.project.variables.items()]
    path.write_text("".join(lines), encoding="utf-8")
    return path
