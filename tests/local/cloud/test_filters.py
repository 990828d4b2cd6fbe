import pytest

from esteira.local.cloud.filters import comparable, matches
from esteira.local.cloud.refusal import Refused

ENTRY = {
    "displayName": "esteira-sentiment",
    "timestamp": "2026-01-01T00:00:01Z",
    "resource": {"type": "ml_job", "labels": {"job_id": "2"}},
}


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("", True),
        ('resource.type="ml_job"', True),
        ('resource.type="ml_job" AND resource.labels.job_id=("1" OR "2")', True),
        ('resource.labels.job_id=("1" OR "3")', False),
        ('(resource.type="build" OR resource.type="ml_job") AND resource.labels.job_id="2"', True),
        ('resource.type="build" OR resource.type="ml_job" AND resource.labels.job_id="3"', False),
        ('resource.labels.build_id="2"', False),
        ('display_name="esteira-sentiment"', True),
        ('timestamp>="2026-01-01T00:00:01.5Z"', False),
        ('timestamp>="2026-01-01T00:00:00.5Z"', True),
    ],
)
def test_an_entry_is_found_as_the_filter_says(filter: str, found: bool) -> None:
    assert matches(filter, ENTRY) is found


@pytest.mark.parametrize("filter", ["type", 'type="a" OR', '(type="a"', 'type="a")', 'type:"a"', 'type="a" "b"'])
def test_a_filter_that_cannot_be_read_is_refused(filter: str) -> None:
    with pytest.raises(Refused, match="^Unparseable filter: "):
        matches(filter, ENTRY)


def test_times_are_compared_to_the_nanosecond() -> None:
    assert comparable("2026-01-01T00:00:01Z") == "2026-01-01T00:00:01.000000000Z"
    assert comparable("2026-01-01T00:00:01Z") < comparable("2026-01-01T00:00:01.5Z")
