import re
from pathlib import Path

import pytest

from esteira.errors import TemplateError
from esteira.reference.makefile import read_targets
from esteira.reference.pages import render_page
from esteira.reference.targets import targets_page
from esteira.reference.task_index import read_tasks
from esteira.variables import VARIABLES
from tests.conftest import REPOSITORY
from tests.reference.conftest import append


def test_every_target_task_and_variable_is_there(root: Path) -> None:
    text = render_page("targets.md", root)
    targets = re.findall(r"^([a-z][a-z-]*):.*##", (root / "Makefile").read_text(), re.MULTILINE)
    assert len(targets) > 60
    assert [name for name in targets if f"\n| `make {name}` |" not in text] == []
    tasks = re.findall(r"^@at_the_edge\ndef (\w+)\(", (root / "tasks.py").read_text(), re.MULTILINE)
    assert len(tasks) > 40
    assert [name for name in tasks if f"\n| `inv {name.replace('_', '-')}` |" not in text] == []
    assert re.findall(r"^### ([A-Z]+)$", text, re.MULTILINE) == list(VARIABLES)


def test_a_target_that_is_added_appears_with_what_it_runs(root: Path) -> None:
    append(root / "Makefile", "\n##@ New\nbrand-new: ## Do a new thing (ENV=name)\n\t$(invoke) schema\n")
    assert "\n| `make brand-new` | Do a new thing |  | `inv schema [--accept]` |\n" in render_page("targets.md", root)


def test_a_task_that_is_added_appears_as_a_step_with_its_flags(root: Path) -> None:
    task = '@task(help={**SET, "deep": "Look deeper"}, iterable=["set"])\n@at_the_edge\n'
    append(root / "tasks.py", f'\n\n{task}def look_in(c, set, deep=False):\n    """Look in."""\n')
    text = render_page("targets.md", root)
    assert "\n| `inv look-in` | Look in. | `--set section.key=value`, `--deep` | a step of a build |\n" in text
    assert "\n| `--deep` | Look deeper |\n" in text


def test_a_task_or_flag_without_words_is_told_with_what_to_write_where(root: Path) -> None:
    append(root / "tasks.py", "\n\n@task\n@at_the_edge\ndef look_in(c, deep=False):\n    pass\n")
    with pytest.raises(TemplateError) as error:
        targets_page(root)
    assert str(error.value) == (
        "tasks.py: look-in: has no description. Expected a docstring that says what it does\n"
        "tasks.py: look-in --deep: has no description. Expected its help, in help= of the decorator @task\n"
        "Write it, then run: make generate"
    )


def test_a_recipe_is_told_as_somebody_would_type_it() -> None:
    targets = {target.name: target for target in read_targets(REPOSITORY)}
    assert targets["generate-check"].commands == ("inv generate --check",)
    assert targets["generate-check"].task == "generate"
    assert targets["test"].commands == ("python -m pytest",)
    assert targets["changelog"].task == "changelog"
    assert targets["lock-check"].commands == ("sh esteira/setup/lock.sh --check",)
    assert targets["deploy"].group == "Deploy"


def test_tasks_are_read_as_invoke_shows_them() -> None:
    tasks = {task.name: task for task in read_tasks(REPOSITORY)}
    assert tasks["predict"].flags == (("--text text", "What to classify"),)
    assert tasks["cloud-plan"].summary.startswith("Show what is missing")
