"""Every command of README.md and of the tutorial, typed in order by a person who has just cloned the repository.

The data are the first rows of the default set, so that training takes seconds; what the tutorial shows is compared but
for figures, ids and times (see shown.py). Commands with ENV= mean a project of Google Cloud, whose stand-ins answer.
"""

import csv
import os
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Dict, Iterator, List, Optional

import pytest

from esteira.settings import load_settings
from tests.conftest import REPOSITORY
from tests.deploy.whole import whole_project
from tests.docs.blocks import Command, read_commands
from tests.docs.session import Session, free_port
from tests.docs.shown import find_missing
from tests.make import VENV, make
from tests.workflows.repository import environment_for

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]

# Commands that are not run here, with the reason and what runs them.
ELSEWHERE: Dict[str, str] = {}
# What a document calls the folder that a clone lies in, and its server's port.
PLACE, PORT = "/home/you", "8501"
SAMPLE_ROWS = {"train": 1500, "eval": 600}
# Nobody listens there: no base of an image is looked for on the net.
NO_REGISTRY = "127.0.0.1:9"
SHORTER = {
    "ESTEIRA_DATA_SOURCE_COLUMN": "source",
    "ESTEIRA_TRAINING_EPOCHS": "3",
    "ESTEIRA_IMAGES_MIRRORS": f"docker.io={NO_REGISTRY}",
    # On so few rows two trainings differ by more than a good model and a better one do.
    "ESTEIRA_GATE_MACRO_F1_CHANGE": "-0.1",
}
COMMANDS: List[Command] = [
    # The tutorial clones the repository, and README.md goes on there.
    *read_commands(REPOSITORY / "docs" / "tutorial.md"),
    *read_commands(REPOSITORY / "README.md"),
]


class Person:
    """Somebody who types commands: in a clone on this machine and, where they name an environment, in a cloud's."""

    def __init__(self, folder: Path, sample: Path, stack: ExitStack) -> None:
        self.folder, self.port = folder, str(free_port())
        self.sample = sample
        self._stack = stack
        self._cloud: Optional[Session] = None
        self.session = stack.enter_context(Session(folder, {**outside(), **SHORTER, **self.variables()}))

    def variables(self) -> Dict[str, str]:
        """Return what stands for a person's shell: the environment that is there already, a name, and a yes."""
        return {
            "ESTEIRA_VENV": str(VENV),
            "ESTEIRA_SERVING_PORT": self.port,
            "ESTEIRA_DATA_FILE": str(self.sample),
            "ESTEIRA_YES": "1",
            "GIT_AUTHOR_NAME": "You",
            "GIT_AUTHOR_EMAIL": "you@localhost",
            "GIT_COMMITTER_NAME": "You",
            "GIT_COMMITTER_EMAIL": "you@localhost",
            **self.origins(),
        }

    def origins(self) -> Dict[str, str]:
        """Return what makes git clone this repository for every address that a document names."""
        found = [re.match(r"git clone (\S+)", command.text) for command in COMMANDS]
        addresses = sorted({match.group(1) for match in found if match})
        numbered = {f"GIT_CONFIG_VALUE_{number}": address for number, address in enumerate(addresses)}
        keys = {f"GIT_CONFIG_KEY_{number}": f"url.{REPOSITORY}.insteadOf" for number in range(len(addresses))}
        return {"GIT_CONFIG_COUNT": str(len(addresses)), **keys, **numbered}

    @property
    def cloud(self) -> Session:
        """A shell in a repository whose environment `dev` is a project on this machine: all real but its runs."""
        if self._cloud is None:
            folder = self.folder / "cloud"
            folder.mkdir()
            local = load_settings(REPOSITORY, {"ESTEIRA_STATE": str(folder / "local")}, {})
            whole = self._stack.enter_context(whole_project(local, folder))
            venv = environment_for(whole.root, folder)
            environ = {**whole.environ, **self.variables(), "ESTEIRA_VENV": str(venv)}
            self._cloud = self._stack.enter_context(Session(whole.root, environ))
        return self._cloud

    def typed(self, text: str) -> str:
        """Return a command as it is typed here."""
        return text.replace(f":{PORT}", f":{self.port}")

    def seen(self, text: str) -> str:
        """Return what was seen here as a document would have it."""
        return text.replace(str(self.folder), PLACE).replace(f":{self.port}", f":{PORT}")


def outside() -> Dict[str, str]:
    """Return the variables of whoever runs the tests, but those that mean Esteira or make."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("ESTEIRA_", "MAKE", "MFLAGS"))}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV with the first rows of the default data, which is fetched and prepared for it."""
    root = tmp_path_factory.mktemp("sample") / "clone"
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(root)], check=True)
    prepared = make(root, "data")
    assert prepared.returncode == 0, prepared.stderr
    path = root / "sample.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label", "source"])
        for split, count in SAMPLE_ROWS.items():
            with (root / "build" / "data" / split / f"{split}.csv").open(encoding="utf-8") as rows:
                writer.writerows(list(csv.reader(rows))[1 : count + 1])
    return path


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Iterator[Person]:
    with ExitStack() as stack:
        yield Person(tmp_path_factory.mktemp("docs"), sample, stack)


@pytest.mark.parametrize("command", COMMANDS, ids=[f"{command.place}: {command.text}" for command in COMMANDS])
def test_a_command_does_what_the_document_says(person: Person, command: Command) -> None:
    if command.text in ELSEWHERE:
        pytest.skip(ELSEWHERE[command.text])
    if command.text.startswith("make serve"):
        seen = person.session.serve(person.typed(command.text), "Serving ")
    else:
        shell = person.cloud if "ENV=" in command.text else person.session
        status, seen = shell.type(person.typed(command.text))
        print(seen)
        assert status == (2 if command.exit_code else 0)
    if command.exit_code:
        assert f"] Error {command.exit_code}\n" in seen
    missing = find_missing(command.shown, person.seen(seen))
    assert missing is None, f"{command.place}: {command.text}: not seen: {missing}"
