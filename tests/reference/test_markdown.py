import pytest

from esteira.reference.markdown import anchor, cell, code, sentence, value


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("training.epochs", "trainingepochs"),
        ("[environments.NAME]", "environmentsname"),
        ("gate.macro_f1", "gatemacro_f1"),
        ("Google Cloud", "google-cloud"),
        ("`make lock-check`, and then?", "make-lock-check-and-then"),
    ],
)
def test_an_anchor_is_githubs(heading: str, expected: str) -> None:
    assert anchor(heading) == expected


def test_a_cell_is_one_line_that_no_bar_parts_and_that_begins_no_tag() -> None:
    assert cell("a | b\n  <c>, `<d>`, ** and `e*`") == "a \\| b &lt;c>, `<d>`, \\*\\* and `e*`"


def test_a_value_is_written_as_toml_has_it() -> None:
    assert [value(one) for one in ("", True, 0.4, "ü")] == ['`""`', "`true`", "`0.4`", '`"ü"`']
    assert code("a|b") == "`a\\|b`"


def test_a_sentence_begins_with_a_capital_unless_a_files_name_does() -> None:
    assert sentence("what it is") == "What it is."
    assert sentence("esteira.toml holds it.") == "esteira.toml holds it."
