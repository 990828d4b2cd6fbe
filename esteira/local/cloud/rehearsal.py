"""`make rehearse`: whole deploys to Google Cloud on this machine, and what becomes of them when things go wrong."""

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Tuple

from rich.console import Console

from esteira.errors import BuildError, SettingsError, StateError
from esteira.local.cloud.base import is_reachable, stand_for_bases
from esteira.local.cloud.project import Project, served_project
from esteira.local.cloud.rehearsed_log import faults_of_log
from esteira.local.cloud.scenarios import Scenario, acted_twice, scenarios
from esteira.local.cloud.scratch import clone_here, settings_of, variables
from esteira.locks import is_locked, locked
from esteira.settings import LOCAL, Settings
from esteira.suggest import suggestion
from esteira.tables import make_table

NONE = "none"
FOLDER = "rehearsal"


@dataclass(frozen=True)
class Rehearsal:
    """A scratch repository, the project that it deploys to, and the variables that lead there."""

    repository: Path
    project: Project
    environ: Dict[str, str]
    console: Console

    def run(self, task: str, also: Mapping[str, str] = {}) -> Tuple[int, str]:
        """Run an Invoke task and return its exit code and what it printed, which is shown meanwhile."""
        with self.started(task, also) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                self.console.print(line.rstrip("\n"), markup=False)
        return process.returncode, "".join(lines).strip()

    def word(self, task: str, also: Mapping[str, str]) -> str:
        """Return what an Invoke task prints with FORMAT=word."""
        with self.started(task, {**also, "ESTEIRA_FORMAT": "word"}) as process:
            return process.communicate()[0].strip()

    def started(self, task: str, also: Mapping[str, str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "invoke", "--write-pyc", task],
            cwd=self.repository,
            env={**self.environ, **also},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )

    def headline(self, text: str) -> None:
        self.console.print(f"\n== {text} ==", markup=False)


def rehearse(settings: Settings, name: str, fault: Optional[str], environ: Mapping[str, str], console: Console) -> None:
    """Deploy to the environment `name`, made up where esteira.toml has none, then with each fault, or the one given.

    `settings` are those of `local`. Raises BuildError, once all is over, if a deploy came to anything else than it
    must; ProgramError if a server is not installed.
    """
    chosen = choose(fault)
    if name == LOCAL:
        raise SettingsError("ENV=local: needs no rehearsal. Expected another environment. Run: make rehearse ENV=dev")
    with prepared(settings, name, environ, console) as rehearsal:
        faults = first_deploy(rehearsal)
        numbered = enumerate(chosen, settings.endpoint.max_replicas + 1)
        rows = [] if faults else [outcome_of(rehearsal, scenario, number) for number, scenario in numbered]
        faults += way_back(rehearsal)
    if rows:
        console.print(make_table(["fault", "what goes wrong", "exit", "seconds", ""], [row[0] for row in rows]))
    faults += [fault for _, found in rows for fault in found]
    if faults:
        raise BuildError("The rehearsal failed:\n" + "\n".join(f"- {fault}" for fault in faults))
    console.print(f"Rehearsed: a deploy to {name}, and {len(chosen)} faults that left nothing to mend by hand.")


def choose(fault: Optional[str]) -> List[Scenario]:
    """Return the scenarios to rehearse; SettingsError for a name that none has."""
    known = list(scenarios())
    names = [scenario.name for scenario in known]
    if fault is None:
        return known
    if fault not in (*names, NONE):
        raise SettingsError(
            f"FAULT={fault}: no such fault; there are: {', '.join(names)}, {NONE}.{suggestion(fault, names)}"
        )
    return [scenario for scenario in known if scenario.name == fault]


@contextmanager
def prepared(settings: Settings, name: str, environ: Mapping[str, str], console: Console) -> Iterator[Rehearsal]:
    """Serve the project, made ready for the scratch repository, until the end of the block."""
    folder = settings.state / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    if is_locked(folder):
        raise StateError(f"{folder}: another rehearsal uses it. Wait for its end, and run the command again.")
    with locked(folder):
        shutil.rmtree(folder / "builds", ignore_errors=True)
        repository = clone_here(settings, name, folder)
        state = folder / "state"
        chosen = settings_of(repository, name, state, environ)
        missing = [] if is_reachable(repository, chosen.mirrors, environ) else base_hosts(chosen)
        with served_project(chosen, folder, variables(environ, name, state), missing) as project:
            told = {**variables(environ, name, state), **project.variables}
            if missing:
                console.print(f"{', '.join(missing)} cannot be reached: images are laid upon an empty base.")
                stand_for_bases(repository, chosen.mirrors, folder / "base", told)
            yield Rehearsal(repository, project, told, console)


def first_deploy(rehearsal: Rehearsal) -> List[str]:
    """Make the project what it must be, deploy to it, and use its request log; return what went wrong."""
    faults = failed(rehearsal, "cloud-apply", {"ESTEIRA_YES": "1"}) or failed(rehearsal, "deploy", {})
    if faults:
        return faults
    rehearsal.headline("the request log")
    (dataset,) = rehearsal.project.administration.warehouse.datasets
    faults = faults_of_log(rehearsal.project, dataset, rehearsal.repository.parent, rehearsal.run)
    return faults + [f"make deploy: {fault}" for fault in acted_twice(rehearsal.project)]


def way_back(rehearsal: Rehearsal) -> List[str]:
    """Serve the release before again, if there is one, and take the project down; return what went wrong."""
    faults = []
    project = rehearsal.project
    if len({job["labels"]["release"] for job in project.pipelines.jobs.values()}) > 1:
        faults += failed(rehearsal, "rollback", {})
    faults += failed(rehearsal, "cloud-destroy", {"ESTEIRA_YES": "1", "ESTEIRA_FORCE": "1"})
    left = [*project.buckets.resources, *project.endpoints.known, *project.administration.accounts.kept]
    left += [*project.administration.repositories.kept, *project.administration.warehouse.datasets]
    left = [name for name in left if name not in project.administration.mirrors]
    return faults + [f"cloud-destroy: left {name}" for name in left]


def failed(rehearsal: Rehearsal, task: str, also: Mapping[str, str]) -> List[str]:
    """Run an Invoke task that must succeed; return what is to be told if it does not."""
    rehearsal.headline(f"make {task}")
    code, message = rehearsal.run(task, also)
    return [f"make {task} left with status {code}:\n{message}"] if code else []


def outcome_of(rehearsal: Rehearsal, scenario: Scenario, number: int) -> Tuple[Tuple[str, ...], List[str]]:
    """Deploy with a fault, then without; return a row of the table, and what was not as it must be.

    What is deployed is the same again or, if the scenario asks for it, a change of the settings by `number`.
    """
    rehearsal.headline(f"{scenario.name}: {scenario.what}")
    started_s = time.monotonic()
    change = {"ESTEIRA_ENDPOINT_MAX_REPLICAS": str(number)} if scenario.changes else {}
    code, message = faulty_deploy(rehearsal, scenario, change)
    faults = []
    if code != scenario.code:
        faults.append(f"{scenario.name}: left with status {code}, expected {scenario.code}:\n{message}")
    faults += [f"{scenario.name}: no word of {word!r}:\n{message}" for word in scenario.words if word not in message]
    faults += [f"{scenario.name}: {fault}" for fault in acted_twice(rehearsal.project)]
    if scenario.code:
        rehearsal.headline(f"{scenario.name}: the next deploy")
        again, message = rehearsal.run("deploy", change)
        if again or rehearsal.word("plan", change) != NONE:
            faults.append(f"{scenario.name}: the next deploy left with status {again}:\n{message}")
    seconds = f"{time.monotonic() - started_s:.0f}"
    return (scenario.name, scenario.what, str(code), seconds, "✗" if faults else "✓"), faults


def faulty_deploy(rehearsal: Rehearsal, scenario: Scenario, change: Mapping[str, str]) -> Tuple[int, str]:
    """Deploy with the scenario's faults, which are over afterwards."""
    project = rehearsal.project
    undo = scenario.prepare(project)
    before = {path: (rehearsal.repository / path).read_text(encoding="utf-8") for path in scenario.appended}
    for path, text in scenario.appended.items():
        (rehearsal.repository / path).write_text(before[path] + text, encoding="utf-8")
    for fault in scenario.faults:
        project.stand_in.faults.add(fault)
    force = {} if scenario.appended or scenario.variables or change else {"ESTEIRA_FORCE": "1"}
    try:
        return rehearsal.run("deploy", {**force, **change, **scenario.variables})
    finally:
        undo()
        project.stand_in.faults.waiting.clear()
        for path, text in before.items():
            (rehearsal.repository / path).write_text(text, encoding="utf-8")


def base_hosts(settings: Settings) -> List[str]:
    """Return the hosts that bases, or their mirrors, are asked for at."""
    from esteira.images.bases import read_bases
    from esteira.images.registry.reference import mirrored, parse_reference

    bases = read_bases(settings.root).values()
    return sorted({mirrored(parse_reference(base.reference), settings.mirrors).host for base in bases})
