import pytest

from esteira.errors import SettingsError
from esteira.formats import check_format


def test_a_format_that_a_command_has_not_is_told_with_what_to_type() -> None:
    check_format("table", "make releases")
    check_format("word", "make status", ("text", "json", "word"))
    with pytest.raises(SettingsError) as caught:
        check_format("xml", "make releases")
    assert str(caught.value) == "FORMAT=xml: expected table or json. Run: make releases FORMAT=json"
    with pytest.raises(SettingsError, match="table or json. Perhaps you meant json. Run: make releases FORMAT=json$"):
        check_format("jsno", "make releases")
    with pytest.raises(SettingsError, match="^FORMAT=table: expected text, json or word. Run: make status"):
        check_format("table", "make status", ("text", "json", "word"))
