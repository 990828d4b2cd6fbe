import json
import re

import jsonschema

from esteira.reference.faults import Faults
from esteira.reference.manifest import example_release, fields_of
from esteira.reference.pages import render_page
from esteira.release.manifest import Outcome, Part, Release, read_release, release_id
from esteira.release.schema import PATH
from tests.conftest import REPOSITORY


def test_the_example_is_a_release_by_the_published_schema() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", render_page("release-json.md", REPOSITORY), re.DOTALL)
    jsonschema.Draft7Validator(json.loads((REPOSITORY / PATH).read_text())).validate(json.loads(example))
    assert read_release(example.encode(), "example") == example_release()
    assert example_release().id == release_id(example_release())


def test_every_field_is_there() -> None:
    text = render_page("release-json.md", REPOSITORY)
    for kind in (Release, Part, Outcome):
        assert [name for name in kind.__fields__ if f"\n| `{name}` |" not in text] == []


def test_a_field_without_a_description_is_told_with_what_to_write_where() -> None:
    faults = Faults()
    list(fields_of({"properties": {"size": {"type": "integer"}}}, faults))
    assert faults.lines == [
        'esteira/release/manifest.py: size: has no description. Expected Field(..., description="what it means")'
    ]
