import pytest

from esteira.errors import SettingsError
from esteira.formats import check_format, visible


def test_a_format_that_a_command_has_not_is_told_with_what_to_type() -> None:
    check_format("table", "make releases")
    check_format("word", "make status", ("text", "json", "word"))
    with pytest.raises(SettingsError) as caught:
        check_format("xml", "make releases")
    assert str(caught.value) == "FORMAT=xml: expected table or json. Run: make releases FORMAT=json"
    with pytest.raises(SettingsError, match="^FORMAT=table: expected text, json or word. Run: make status"):
        check_format("table", "make status", ("text", "json", "word"))


def test_what_a_terminal_would_obey_is_shown_in_its_place() -> None:
    assert visible("\x1b]0;pwned\x07\x1b[31mred\u202e, \x9b2J\n\tação 🎉") == "�]0;pwned��[31mred�, �2J\n\tação 🎉"
