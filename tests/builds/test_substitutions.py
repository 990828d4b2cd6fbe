from typing import Dict

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from esteira.builds.substitutions import bash_style_references, references, substitute

VALUES: Dict[str, str] = {"_A": "1", "_AB": "2", "BUILD_ID": "b", "_DOLLAR": "$_A", "_EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$_A", "1"),
        ("${_A}", "1"),
        ("$_AB", "2"),
        ("${_A}B", "1B"),
        ("$_Ab", "1b"),
        ("x$_A-$BUILD_ID.", "x1-b."),
        ("$$_A", "$_A"),
        ("$$$_A", "$1"),
        ("$$$$", "$$"),
        ("$_EMPTY", ""),
        ("$_UNKNOWN!", "!"),
        ("$_DOLLAR", "$_A"),
        ("$(date) $lower ${lower} $1 $", "$(date) $lower ${lower} $1 $"),
        ("${_A:-x}", "${_A:-x}"),
        ("${_A", "${_A"),
    ],
)
def test_substitution_follows_cloud_build(text: str, expected: str) -> None:
    assert substitute(text, VALUES) == expected


def test_references_leave_escaped_ones_out() -> None:
    assert list(references("$_A $$_B ${_C} $$$_D")) == ["_A", "_C", "_D"]


def test_a_bash_operation_is_told_from_a_plain_reference() -> None:
    assert list(bash_style_references("${_A:-x} ${_B} $${_C:-x} ${_D/a/b} ${_E^}")) == ["_A", "_D", "_E"]


@examples(deadline=None)
@given(st.text(alphabet="$_AB{}x \n"))
def test_a_text_whose_dollars_are_doubled_comes_out_as_it_was(text: str) -> None:
    assert substitute(text.replace("$", "$$"), VALUES) == text
