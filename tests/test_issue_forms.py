"""The forms of issues are what GitHub takes, which shows a wrong one to nobody and says so only where it is edited.

https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
"""

from pathlib import Path
from typing import Any, Dict

import pytest
import yaml

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / ".github" / "ISSUE_TEMPLATE"
FORMS = sorted(set(FOLDER.glob("*.yml")) - {FOLDER / "config.yml"})
# What each kind of field must have, and what it may have besides.
FIELDS = {
    "dropdown": ({"label", "options"}, {"description", "multiple", "default"}),
    "input": ({"label"}, {"description", "placeholder", "value"}),
    "textarea": ({"label"}, {"description", "placeholder", "value", "render"}),
}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_has_what_github_asks_for_and_nothing_else(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(form) == {"name", "description", "labels", "body"}
    names = [field["id"] for field in form["body"]]
    assert len(names) == len(set(names))
    for field in form["body"]:
        check_field(field)


def check_field(field: Dict[str, Any]) -> None:
    assert set(field) - {"validations"} == {"type", "id", "attributes"}
    assert field.get("validations", {"required": True}) == {"required": True}
    needed, allowed = FIELDS[field["type"]]
    assert needed <= set(field["attributes"]) <= needed | allowed
    assert all(isinstance(option, str) for option in field["attributes"].get("options", []))


def test_there_is_a_form_for_a_bug_and_one_for_an_idea() -> None:
    assert [path.stem for path in FORMS] == ["bug", "idea"]
