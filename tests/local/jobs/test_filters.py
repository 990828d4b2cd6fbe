from contextlib import suppress
from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esteira.errors import JobError
from esteira.local.jobs.filters import Candidate, compile_filter

CONTEXT = "projects/local/locations/local/metadataStores/default/contexts/sentiment"
BLESSED = 'schema_title="tfx.ModelBlessing" AND state=LIVE AND metadata.blessed.number_value=1'


def candidate(contexts: List[str] = [], metadata: Dict[str, Any] = {}, **fields: str) -> Candidate:  # noqa: B006
    found = {"schema_title": "tfx.ModelBlessing", "state": "LIVE", "name": "stores/1", "uri": "/x", **fields}
    return Candidate(found, {"blessed": 1.0, "note": "good", **metadata}, frozenset(contexts))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BLESSED, True),
        (BLESSED.replace("=1", "=0"), False),
        (BLESSED.replace("LIVE", "PENDING"), False),
        ('name="stores/1"', True),
        ('name="stores/2"', False),
        ('metadata.note.string_value="good"', True),
        ('metadata.note.number_value="1"'.replace('"1"', "1"), False),
        ("metadata.absent.number_value!=1", False),
        ("metadata.blessed.number_value>=0.5", True),
        ('NOT state="LIVE"', False),
        ('state=PENDING OR (state=LIVE AND uri="/x")', True),
        (f'{BLESSED} AND in_context("{CONTEXT}")', False),
    ],
)
def test_filters_match_as_vertex_does(text: str, expected: bool) -> None:
    assert compile_filter(text, "query")(candidate()) is expected


def test_a_filter_with_a_context_matches_only_what_belongs_to_it() -> None:
    matches = compile_filter(f'{BLESSED} AND in_context("{CONTEXT}")', "query")
    assert matches(candidate([CONTEXT]))
    assert not matches(candidate([CONTEXT + "-2"]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "state",
        "state=",
        "state~LIVE",
        "colour=red",
        'state=LIVE AND name="a" OR name="b"',
        "metadata.blessed=1",
        "metadata.blessed.number_value=one",
        'has_context("x")',
        "state=LIVE AND",
        "(state=LIVE",
        'create_time > "2020-01-01"',
    ],
)
def test_what_the_parser_does_not_know_is_an_error(text: str) -> None:
    with pytest.raises(JobError, match=r"^query: "):
        compile_filter(text, "query")


def test_an_error_shows_the_filter_and_the_place() -> None:
    with pytest.raises(JobError) as caught:
        compile_filter("state=LIVE AND colour=red", "task x: the filter")
    assert str(caught.value).startswith(
        "task x: the filter: expected one of name, uri, state, schema_title, metadata.x.number_value or "
        'in_context("..."), found "colour" at character 16 of:\n  state=LIVE AND colour=red\n'
    )


@given(st.text())
def test_any_name_in_quotes_matches_itself(name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    assert compile_filter(f'name="{quoted}"', "query")(candidate(name=name))


@given(st.text())
def test_any_text_is_read_or_refused_with_a_job_error(text: str) -> None:
    with suppress(JobError):
        compile_filter(text, "query")
