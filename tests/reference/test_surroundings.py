import re
from pathlib import Path
from typing import Iterator, Tuple

import pytest

from esteira.errors import TemplateError
from esteira.reference.pages import render_page
from esteira.reference.surroundings import ON_GITHUB, OTHERS, known_names, repository_variables, surroundings_page
from esteira.settings.load import RESERVED
from tests.conftest import REPOSITORY
from tests.reference.conftest import append

NAME = re.compile(r"\bESTEIRA_[A-Z][A-Z0-9_]*[A-Z0-9]\b")
READ = re.compile(r"environ(?:\.get\(|\[)\"([A-Z][A-Z0-9_]*)\"|\$\{([A-Z][A-Z0-9_]*):?-")
# No variables: what stands for the name of a setting, for the root in a compiled job, and for an image in a text.
OURS = {"ESTEIRA_SECTION_KEY", "ESTEIRA_ROOT", "ESTEIRA_IMAGE"}
SHELLS = {"ZSH_VERSION", "COMP_WORDS"}


def sources() -> Iterator[Tuple[str, str]]:
    for folder in ("esteira", "modules", "pipeline"):
        for path in (REPOSITORY / folder).rglob("*"):
            if path.suffix in (".py", ".sh"):
                yield str(path.relative_to(REPOSITORY)), path.read_text(encoding="utf-8")


def test_every_name_of_our_own_in_the_engine_is_known() -> None:
    named = {(place, name) for place, text in sources() for name in NAME.findall(text)}
    assert len(named) > 30
    assert {(place, name) for place, name in named if name not in known_names() | OURS} == set()
    assert known_names() >= RESERVED


def test_every_variable_that_is_read_is_described() -> None:
    described = known_names() | {one for name in OTHERS for one in name.split(", ")} | SHELLS
    read = {(place, one or other) for place, text in sources() for one, other in READ.findall(text)}
    assert {(place, name) for place, name in read if name not in described} == set()


def test_a_repositorys_variable_that_a_workflow_reads_must_be_described(root: Path) -> None:
    assert repository_variables(root) <= set(ON_GITHUB)
    append(root / ".github" / "workflows" / "deploy.yaml", "# ${{ vars.ESTEIRA_MOON }}\n")
    with pytest.raises(TemplateError) as error:
        surroundings_page(root)
    assert str(error.value) == (
        "esteira/reference/surroundings.py: ON_GITHUB: ESTEIRA_MOON: has no description. Expected what it is\n"
        "Write it, then run: make generate"
    )


def test_every_variable_is_there() -> None:
    text = render_page("environment-variables.md", REPOSITORY)
    assert [name for name in RESERVED if f"\n| `{name}` |" not in text] == []
