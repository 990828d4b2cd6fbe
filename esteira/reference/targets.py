"""targets.md: every target of make, every variable behind one, and every Invoke task."""

from pathlib import Path
from typing import Any, Dict, List

from esteira.reference.faults import Faults
from esteira.reference.makefile import Target, read_targets
from esteira.reference.task_index import FILE, Task, read_tasks
from esteira.variables import EVERY, VARIABLES, Variable, environment_name, formats_of, variables_of

# Of a variable that more targets read than these, the tables of targets tell which they are.
MOST_TARGETS = 12


def targets_page(root: Path) -> Dict[str, Any]:
    """Return what the page is made of; TemplateError for a target, task or variable without a description."""
    faults = Faults()
    targets, tasks = read_targets(root), {task.name: task for task in read_tasks(root)}
    groups: Dict[str, List[Dict[str, Any]]] = {}
    for target in targets:
        faults.expect(target.help, f"Makefile: {target.name}", f"{target.name}: ## what it does")
        groups.setdefault(target.group, []).append(target_row(target, tasks))
    called = callers(targets)
    steps = [task for name, task in tasks.items() if name not in called]
    for task in tasks.values():
        check_task(faults, task)
    variables = {name: variable_row(name, variable) for name, variable in VARIABLES.items()}
    for name, variable in VARIABLES.items():
        faults.expect(variable.meaning, f"esteira/variables.py: {name}", "what it means")
    faults.check()
    return {"groups": groups, "variables": variables, "steps": steps, "tasks": list(tasks.values()), "called": called}


def check_task(faults: Faults, task: Task) -> None:
    faults.expect(task.summary, f"{FILE}: {task.name}", "a docstring that says what it does")
    for flag in task.flags:
        faults.expect(flag.help, f"{FILE}: {task.name} {flag.text}", "its help, in help= of the decorator @task")


def callers(targets: List[Target]) -> Dict[str, List[str]]:
    """Return the targets that call each task, by the task's name."""
    found: Dict[str, List[str]] = {}
    for target in targets:
        if target.task:
            found.setdefault(target.task, []).append(target.name)
    return found


def target_row(target: Target, tasks: Dict[str, Task]) -> Dict[str, Any]:
    runs = list(target.commands)
    if target.task in tasks:
        words = target.commands[0].split()
        flags = [flag.text for flag in tasks[target.task].flags if flag.text.split()[0] not in words]
        runs = [" ".join([target.commands[0], *(f"[{flag.partition(' ')[0]}]" for flag in flags)])]
    return {
        "name": target.name,
        "help": target.help.partition(" (")[0],
        "variables": variables_of(target.name),
        "formats": formats_of(target.name),
        "runs": runs if not target.needs else [f"make {name}" for name in target.needs],
    }


def variable_row(name: str, variable: Variable) -> Dict[str, Any]:
    read_by = [f"make {target}" for target in variable.targets]
    return {
        **variable._asdict(),
        "environment": environment_name(name),
        "read_by": read_by if len(read_by) <= MOST_TARGETS else [],
        "every": variable.targets == EVERY,
    }
