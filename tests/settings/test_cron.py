import pytest

from esteira.settings.cron import checked_cron


@pytest.mark.parametrize(
    "line",
    [
        "* * * * *",
        "0 6 * * 1",
        "TZ=Europe/Berlin 0 6 * * 1",
        "CRON_TZ=America/New_York 59 23 31 12 6",
        "TZ=Etc/GMT+3 */15 8-18/2 1,15 JAN-mar,12 MON-FRI",
        "5/10 0 1 1 sun",
    ],
)
def test_a_line_whose_fields_are_in_their_ranges_is_taken(line: str) -> None:
    assert checked_cron(line) == line


@pytest.mark.parametrize(
    ("line", "title", "entry", "within"),
    [
        ("99 99 * * *", "minute", '"99"', "0 to 59, a range such as 0-59"),
        ("60 * * * *", "minute", '"60"', "0 to 59, a range such as 0-59"),
        ("0 24 * * *", "hour", '"24"', "0 to 23, a range such as 0-23"),
        ("0 0 0 * *", "day of the month", '"0"', "1 to 31, a range such as 1-31"),
        ("0 0 1 1,13 *", "month", '"13" in "1,13"', "1 to 12, a range such as 1-12"),
        ("0 0 1 1 7", "day of the week", '"7"', "0 to 6, a range such as 0-6"),
        ("0 0 1 1 MON-SUN", "day of the week", '"MON-SUN"', "0 to 6, a range such as 0-6"),
        ("*/0 * * * *", "minute", '"*/0"', "0 to 59, a range such as 0-59"),
        ("*/60 * * * *", "minute", '"*/60"', "0 to 59, a range such as 0-59"),
        ("30-10 * * * *", "minute", '"30-10"', "0 to 59, a range such as 0-59"),
        ("1-2-3 * * * *", "minute", '"1-2-3"', "0 to 59, a range such as 0-59"),
        ("0, 6 * * *", "minute", '"" in "0,"', "0 to 59, a range such as 0-59"),
        ("0 six * * *", "hour", '"six"', "0 to 23, a range such as 0-23"),
    ],
)
def test_a_field_out_of_its_range_is_told(line: str, title: str, entry: str, within: str) -> None:
    with pytest.raises(ValueError, match="expected") as told:
        checked_cron(line)
    assert str(told.value) == (
        f'is "{line}"; its {title} is {entry}; expected {within}, a list with commas, *, or a step such as */2'
    )


@pytest.mark.parametrize("line", ["0 6 * *", "0 6 * * * *", "@daily", "ZONE=Europe/Berlin 0 6 * * 1", "TZ= 0 6 * * 1"])
def test_what_is_no_line_of_five_fields_is_told(line: str) -> None:
    with pytest.raises(ValueError, match="expected") as told:
        checked_cron(line)
    assert str(told.value) == (f'is "{line}"; expected a cron line of five fields such as "TZ=Europe/Berlin 0 6 * * 1"')
