import pytest

from esteira.builds.durations import parse_duration_s


@pytest.mark.parametrize(("text", "seconds"), [("600s", 600), ("1.5s", 1.5), ("0s", 0), ("0.000000001s", 1e-9)])
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["60m", "1h", "600", "", "s", "-1s", "1,5s", "600 s", "1e3s", "600s\n", "٣s"])
def test_any_other_form_is_an_error_that_shows_the_right_one(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_duration_s(text)
    assert str(caught.value) == f'"{text}" is no duration; expected seconds with the suffix s, such as 600s'
