from typing import Dict

import pytest

from esteira.errors import TemplateError
from esteira.reference import part_list
from esteira.reference.pages import render_page
from esteira.release.manifest import PARTS
from esteira.release.partition import PARTITION, Rule
from tests.conftest import REPOSITORY


def test_every_part_is_there_with_every_path_and_value() -> None:
    text = render_page("parts.md", REPOSITORY)
    assert set(PARTITION) == set(PARTS)
    for part, rule in PARTITION.items():
        (section,) = [section for section in text.split("\n## ") if section.startswith(f"{part}\n")]
        assert f"A change means a **{rule.kind}** deploy." in section
        assert [path for path in rule.files if f"| `{path}` |" not in section] == []
        names = [part_list.as_settings(value) for value in rule.values if value not in part_list.VALUES]
        assert [name for name in names if f"[`{name}`](settings.md#" not in section] == []


def test_a_part_that_is_added_must_be_described_and_have_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    added: Dict[str, Rule] = {**PARTITION, "weights": Rule("partial", "", files=("weights/**",))}
    monkeypatch.setattr(part_list, "PARTITION", added)
    with pytest.raises(TemplateError) as error:
        part_list.parts_page(REPOSITORY)
    assert str(error.value) == (
        "esteira/release/partition.py: weights: has no description. Expected what it is, behind the kind of its Rule\n"
        "esteira/reference/part_list.py: PLACES: weights: has no description. Expected where it lies\n"
        "Write it, then run: make generate"
    )
