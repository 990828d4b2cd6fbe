"""Every command of README.md and of the tutorial, typed in order by a person who has just cloned the repository.

The data are the first rows of the default set, so that training takes seconds; what the tutorial shows is compared but
for figures, ids and times (see shown.py). Commands with ENV= mean a project of Google Cloud, whose stand-ins answer.
"""

import os
import re
import subprocess
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Dict, Iterator, List

import pytest

from esteira.settings import load_settings
from tests.conftest import REPOSITORY
from tests.deploy.whole import Whole, whole_project
from tests.docs.blocks import Command, read_commands
from tests.docs.session import Session, free_port
from tests.docs.shown import find_missing
from tests.make import VENV
from tests.sample import write_sample
from tests.workflows.repository import environment_for

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]

# What a document calls the folder that a clone lies in, and its server's port.
PLACE, PORT = "/home/you", "8501"
# Files that a reader has, but for CSVs of data.
OWN_FILES = {"truths.csv": "request_id,label\n1,positive\n", "texts.csv": "text\nI love this film\n"}
ON_A_TERMINAL = "make predict"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
# Nobody listens there: no base of an image is looked for on the net.
NO_REGISTRY = "127.0.0.1:9"
SHORTER = {
    "ESTEIRA_DATA_SOURCE_COLUMN": "source",
    "ESTEIRA_TRAINING_EPOCHS": "3",
    "ESTEIRA_IMAGES_MIRRORS": f"docker.io={NO_REGISTRY}",
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
        self.scratch, self.sample = folder / "tmp", sample
        self.scratch.mkdir()
        self._stack = stack
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

    def shell_for(self, command: str) -> Session:
        """Return the shell that a command is typed in: here, or where the environment `dev` is a served project."""
        if "ENV=" not in command:
            return self.session
        return self.rehearsal if command.startswith("make rehearse") else self.cloud

    @cached_property
    def whole(self) -> Whole:
        """A repository with a lock of three small wheels, and a project on this machine: all real but its runs."""
        folder = self.folder / "cloud"
        folder.mkdir()
        local = load_settings(REPOSITORY, {"ESTEIRA_STATE": str(folder / "local")}, {})
        return self._stack.enter_context(whole_project(local, folder))

    @cached_property
    def venv(self) -> str:
        """What stands for the environment of the small lock."""
        return str(environment_for(self.whole.root, self.folder / "cloud"))

    @cached_property
    def cloud(self) -> Session:
        environ = {**self.whole.environ, **self.variables(), "ESTEIRA_VENV": self.venv}
        return self._stack.enter_context(Session(self.whole.root, environ))

    @cached_property
    def rehearsal(self) -> Session:
        """A shell for `make rehearse`, which serves a project of its own, and trains for real."""
        cache = {"XDG_CACHE_HOME": self.whole.environ["XDG_CACHE_HOME"]}
        environ = {**outside(), **SHORTER, **self.variables(), **cache, "ESTEIRA_VENV": self.venv}
        return self._stack.enter_context(Session(self.whole.root, environ))

    def lay_down(self, text: str) -> None:
        """Write the file that a command reads and that is said to be one's own, unless it is there."""
        for name in re.findall(r"\b(?:DATA|FILE)=([\w-]+\.csv)", text):
            path = self.folder / "esteira" / name
            if not path.exists():
                path.write_text(OWN_FILES.get(name) or self.sample.read_text(encoding="utf-8"), encoding="utf-8")

    def typed(self, text: str) -> str:
        """Return a command as it is typed here: on a terminal, where what it prints is another in a pipe."""
        here = text.replace(f":{PORT}", f":{self.port}").replace("/tmp/", f"{self.scratch}/")
        return f"script --quiet --return --command {quote(here)} /dev/null" if here.startswith(ON_A_TERMINAL) else here

    def seen(self, text: str) -> str:
        """Return what was seen here as a document would have it."""
        plain = STYLE.sub("", text)
        return plain.replace(str(self.folder), PLACE).replace(f":{self.port}", f":{PORT}")


def outside() -> Dict[str, str]:
    """Return the variables of whoever runs the tests, but those that mean Esteira or make."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("ESTEIRA_", "MAKE", "MFLAGS"))}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV with the first rows of the default data, which is fetched and prepared for it."""
    root = tmp_path_factory.mktemp("sample") / "clone"
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(root)], check=True)
    return write_sample(root)


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Iterator[Person]:
    with ExitStack() as stack:
        yield Person(tmp_path_factory.mktemp("docs"), sample, stack)


@pytest.mark.parametrize("command", COMMANDS, ids=[f"{command.place}: {command.text}" for command in COMMANDS])
def test_a_command_does_what_the_document_says(person: Person, command: Command) -> None:
    person.lay_down(command.text)
    if command.text.startswith("make serve"):
        seen = person.session.serve(person.typed(command.text), "Serving ")
    else:
        status, seen = person.shell_for(command.text).type(person.typed(command.text))
        print(seen)
        assert status == (2 if command.exit_code else 0)
    if command.exit_code:
        assert f"] Error {command.exit_code}\n" in seen
    missing = find_missing(command.shown, person.seen(seen))
    assert missing is None, f"{command.place}: {command.text}: not seen: {missing}"
