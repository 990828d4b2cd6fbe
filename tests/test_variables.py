"""The table of make's variables agrees with the Makefile, tasks.py and the settings."""

import ast
import re
from typing import Dict, Iterator, Set, Tuple

from esteira.deploy import status
from esteira.local.cloud.rehearsal import NONE
from esteira.local.cloud.scenarios import scenarios
from esteira.release import plan_view
from esteira.serving import ask
from esteira.settings.load import known_keys
from esteira.variables import EVERY, OTHER_FORMATS, VARIABLES, formats_of, variables_of
from esteira.variables_make import FAULTS
from tests.conftest import REPOSITORY

MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def test_every_setting_that_a_variable_stands_for_exists() -> None:
    assert {variable.setting for variable in VARIABLES.values()} - {""} <= set(known_keys())


def test_every_target_of_a_variable_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))
    assert {target for variable in VARIABLES.values() for target in variable.targets} <= targets
    assert set(OTHER_FORMATS) <= set(VARIABLES["FORMAT"].targets)


def test_what_the_help_names_behind_a_target_is_read_by_it() -> None:
    named = re.findall(r"^([a-z-]+):.*## (.*)", MAKEFILE, re.MULTILINE)
    found = {(target, name) for target, text in named for name in re.findall(r"\b([A-Z]+)=", text)}
    assert len(found) > 50
    assert {(target, name) for target, name in found if name not in variables_of(target)} == set()


def test_what_a_task_reads_stands_in_the_table_behind_its_target() -> None:
    read = {(target, name) for task, target in targets_by_task().items() for name in read_by(task)}
    told = {
        (target, name)
        for name, variable in VARIABLES.items()
        for target in variable.targets
        if not variable.setting and name != "ENV"
    }
    # bench/ is no task: it runs without the engine's edge.
    read |= {("bench", "ONLY")}
    assert told == read - {("data", "PLAN"), ("data", "BUILD_ID"), ("rehearse", "ENV")}


def targets_by_task() -> Dict[str, str]:
    """Return the target that each task is called by; a step of a build has none."""
    found = re.findall(r"^([a-z-]+):.*##.*\n\t\$\((?:invoke|dev\) -m invoke)\)? ([a-z-]+)", MAKEFILE, re.MULTILINE)
    return {task.replace("-", "_"): target for target, task in found if target != "generate-check"}


def read_by(task: str) -> Iterator[str]:
    """Yield the variables that the task's function in tasks.py reads by name."""
    tree = ast.parse((REPOSITORY / "tasks.py").read_text(encoding="utf-8"))
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == task)
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("variable", "switch", "number", "required_variable"):
                yield ast.literal_eval(node.args[0])
            elif node.func.id == "build_id":
                yield "BUILD_ID"


def test_an_example_is_of_its_variable() -> None:
    assert [name for name, variable in VARIABLES.items() if not variable.example.startswith(f"{name}=")] == []


def test_formats_are_those_of_the_target() -> None:
    assert formats_of("plan") == ("table", "json", "markdown", "word")
    assert formats_of("releases") == ("table", "json")
    assert formats_of("serve") == ()


def test_formats_are_those_that_the_commands_take() -> None:
    taken = {"plan": plan_view.FORMATS, "status": status.FORMATS, "predict": ask.FORMATS}
    assert taken == OTHER_FORMATS
    told = VARIABLES["FORMAT"].values
    assert [word for words in taken.values() for word in words if word not in told] == []


def test_faults_are_those_that_are_rehearsed() -> None:
    assert (*(scenario.name for scenario in scenarios()), NONE) == FAULTS


def test_what_every_target_reads_is_told_apart() -> None:
    every: Set[Tuple[str, ...]] = {VARIABLES[name].targets for name in ("STATE", "VENV")}
    assert every == {EVERY}
