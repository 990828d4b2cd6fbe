import re
from pathlib import Path

from pydantic import Field

from esteira.reference.faults import Faults
from esteira.reference.pages import render_page
from esteira.reference.setting_list import changes_of, key_of, settings_page, table_of
from esteira.settings import Environment
from esteira.settings.load import known_keys
from esteira.settings.section import Section
from tests.conftest import REPOSITORY

PLACE = "tests/reference/test_setting_list.py: "


class Told(Section):
    """[told]: what is told."""

    share: float = Field(0.5, ge=0, le=1, description="The share of it")
    silent: int = 1


class Untold(Section):
    pass


def test_every_key_is_there_with_its_default() -> None:
    text = render_page("settings.md", REPOSITORY)
    headings = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert headings == [*known_keys(), *(f"environments.NAME.{key}" for key in Environment.__fields__)]
    assert text.count("\n- **Default**: ") == len(headings)


def test_a_key_without_a_description_is_told_with_what_to_write_where() -> None:
    faults = Faults()
    table_of("[told]", "told", Told, faults)
    table_of("[untold]", "untold", Untold, faults)
    assert faults.lines == [
        f'{PLACE}Told.silent: has no description. Expected Field(..., description="what it means")',
        f'{PLACE}Untold: has no description. Expected a docstring such as """[untold]: what it is about."""',
    ]


def test_a_key_is_told_with_its_range() -> None:
    key = key_of("told", "share", Told.__fields__["share"], "", Faults())
    assert (key["kind"], key["default"], key["variable"]) == ("number, 0 to 1", 0.5, "ESTEIRA_TOLD_SHARE")


def test_kinds_are_told_in_words() -> None:
    sections = settings_page(Path())["sections"]
    kinds = {key["name"]: key["kind"] for table in sections.values() for key in table["keys"]}
    assert kinds["training.epochs"] == "whole number, from 1 on"
    assert kinds["training.encoder"] == "one of `attention`, `hub`"
    assert kinds["run.cache"] == "true or false"
    assert kinds["environments.NAME.project"] == "text"


def test_a_change_is_told_as_the_partition_has_it() -> None:
    assert changes_of("training.epochs") == [{"part": "job", "kind": "full", "when": ""}]
    assert changes_of("serving.port") == []
    assert changes_of("tuning.trials") == []
    assert changes_of("data.file") == [{"part": "data", "kind": "partial", "when": "by the content of what it names"}]
    assert changes_of("data.text_column") == [{"part": "data", "kind": "partial", "when": "where a CSV is trained on"}]
    assert changes_of("environment.bucket") == [{"part": "settings", "kind": "partial", "when": ""}]
    assert changes_of("environment.github") == []
