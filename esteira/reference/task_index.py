"""What tasks.py says of its tasks, as `inv --list` and `inv --help` show it: read, and not imported."""

import ast
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Tuple

FILE = "tasks.py"


class Flag(NamedTuple):
    """A flag of a task, as it is typed, and its help."""

    text: str
    help: str


class Task(NamedTuple):
    """A task: its name as it is typed, its one line, and its flags."""

    name: str
    summary: str
    flags: Tuple[Flag, ...]


def read_tasks(root: Path) -> List[Task]:
    """Return the tasks in the order of tasks.py."""
    tree = ast.parse((root / FILE).read_text(encoding="utf-8"))
    shared = shared_help(tree)
    return [
        Task(node.name.replace("_", "-"), (ast.get_docstring(node) or "").split("\n")[0], tuple(flags_of(node, shared)))
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any(map(is_task, node.decorator_list))
    ]


def is_task(decorator: ast.expr) -> bool:
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(name, ast.Name) and name.id == "task"


def shared_help(tree: ast.Module) -> Dict[str, Dict[str, str]]:
    """Return the tables of help that several tasks have, by their name."""
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and isinstance(node.targets[0], ast.Name)
    }


def flags_of(function: ast.FunctionDef, shared: Dict[str, Dict[str, str]]) -> Iterator[Flag]:
    """Yield the flags: every parameter behind the context is one."""
    told = help_of(function, shared)
    arguments = function.args.args[1:]
    defaults: List[object] = [None] * len(arguments)
    given = [ast.literal_eval(default) for default in function.args.defaults]
    defaults[len(defaults) - len(given) :] = given
    for argument, default in zip(arguments, defaults):
        flag = "--" + argument.arg.replace("_", "-")
        takes = "" if default is False else "=section.key=value" if argument.arg == "set" else f"={argument.arg}"
        yield Flag(flag + takes.replace("=", " ", 1), told.get(argument.arg, ""))


def help_of(function: ast.FunctionDef, shared: Dict[str, Dict[str, str]]) -> Dict[str, str]:
    """Return the help of the decorator @task: a table, or the name of a shared one, which another may take up."""
    told: Dict[str, str] = {}
    calls = [decorator for decorator in function.decorator_list if isinstance(decorator, ast.Call)]
    for node in (keyword.value for call in calls for keyword in call.keywords if keyword.arg == "help"):
        if isinstance(node, ast.Name):
            told.update(shared[node.id])
        elif isinstance(node, ast.Dict):
            for key, item in zip(node.keys, node.values):
                told.update(
                    {ast.literal_eval(key): ast.literal_eval(item)}
                    if key is not None
                    else shared.get(item.id if isinstance(item, ast.Name) else "", {})
                )
    return told
