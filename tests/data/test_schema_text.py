"""Filling labels into the curated schema."""

from pathlib import Path

import pytest

from esteira.data.schema_text import fill_labels, read_curated_schema
from esteira.errors import DataError

CURATED = Path(__file__).parents[2] / "pipeline" / "schema.pbtxt"


def test_fills_the_curated_schema_and_changes_nothing_else() -> None:
    before = read_curated_schema(CURATED)
    after = fill_labels(before, ["não", "sim"], "schema.pbtxt")
    assert after == before.replace(
        'string_domain {\n  name: "labels"\n}',
        'string_domain {\n  name: "labels"\n  value: "não"\n  value: "sim"\n}',
    )


def test_filling_again_replaces_the_labels() -> None:
    filled = fill_labels(read_curated_schema(CURATED), ["a", "b"], "schema.pbtxt")
    assert fill_labels(filled, ["c"], "x") == fill_labels(read_curated_schema(CURATED), ["c"], "x")


@pytest.mark.parametrize(
    "domain",
    [
        "string_domain{name:'labels'}",
        'string_domain: {\n value: "a } brace" # a } brace, and name: "x"\n name : "labels" }',
        'string_domain { name: "other" }\nstring_domain { name: "labels" value: "\\"}" }',
    ],
)
def test_finds_the_domain_however_it_is_written(domain: str) -> None:
    filled = fill_labels(f'feature {{ name: "labels" }}\n{domain}\n', ["z"], "x")
    assert filled.endswith('{\n  name: "labels"\n  value: "z"\n}\n')
    assert "brace" not in filled


def test_escapes_what_the_text_format_would_misread() -> None:
    filled = fill_labels('string_domain { name: "labels" }', ['a "b" \\ c\x07'], "x")
    assert 'value: "a \\"b\\" \\\\ c\\007"' in filled


@pytest.mark.parametrize(
    "schema",
    [
        "",
        '# string_domain { name: "labels" }',
        'string_domain { # name: "labels"\n name: "other" }',
        'feature { string_domain { name: "labels" } }',
        'string_domain { name: "labels" }\nstring_domain { name: "labels" }',
    ],
)
def test_a_schema_without_one_such_domain_is_a_fault(schema: str) -> None:
    with pytest.raises(DataError, match=r"schema.pbtxt: has [02] blocks string_domain"):
        fill_labels(schema, ["a"], "schema.pbtxt")


def test_a_missing_schema_says_how_to_get_it_back(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such file.*git checkout"):
        read_curated_schema(tmp_path / "schema.pbtxt")
