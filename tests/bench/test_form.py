"""The form that every result of a bench has."""

import datetime
from typing import Any, Dict

import pytest
from pydantic import ValidationError

from bench.form import BENCHES, OURS, RESULTS, Report, case_of, ratio_of, read_report, read_reports, write_report

HEAD: Dict[str, Any] = {
    "bench": "run",
    "date": datetime.date(2026, 1, 2),
    "commit": "0" * 40,
    "machine": {"cpu": "a processor", "cores": 2, "memory_bytes": 2**34, "load_before": 0.1, "python": "3.8.18"},
    "versions": {"tfx": "1.14.0"},
}


def report_of(**changed: Any) -> Report:
    ours, other = case_of("the whole job", OURS, [2.0, 1.0, 3.0]), case_of("the whole job", "another", [8.0, 2.0, 9.0])
    rest = {"cases": [ours, other], "ratios": [ratio_of(ours, other)], "targets": [], "notes": ["So."], "measured": {}}
    return Report(**{**HEAD, **rest, **changed})


def test_every_result_has_the_form() -> None:
    assert [report.bench for report in read_reports()] == list(BENCHES)
    assert sorted(path.stem for path in RESULTS.iterdir()) == sorted(BENCHES)


def test_a_case_has_the_median_of_its_rounds_and_their_ends() -> None:
    case = case_of("the whole job", OURS, [2.0, 1.0, 4.0, 3.0])
    assert (case.value, case.least, case.most, case.rounds, case.unit) == (2.5, 1.0, 4.0, 4, "s")


def test_a_ratio_is_the_quotient_of_the_medians_and_has_the_ends_of_the_rounds_own() -> None:
    ours, others = [2.0, 1.0, 3.0], [8.0, 2.0, 9.0]
    ratio = ratio_of(case_of("a", OURS, ours), case_of("a", "another", others), ours, others)
    assert (ratio.times, ratio.least, ratio.most) == (4.0, 2.0, 4.0)


def test_of_requests_a_second_more_is_better() -> None:
    ours, other = (case_of("a", way, [value], "requests/s") for way, value in ((OURS, 300.0), ("another", 100.0)))
    assert ratio_of(ours, other).times == 3.0


def test_what_was_written_is_read(tmp_path: Any) -> None:
    report = report_of()
    write_report(report, tmp_path / "run.json")
    assert read_report(tmp_path / "run.json") == report


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bench": "walk"}, 'bench "walk"; expected one of deploy, images, run, plan, serve, log'),
        ({"commit": "HEAD"}, 'commit "HEAD"; expected 40 hex digits'),
        ({"cases": []}, "ratio of the whole job: ours or another is not among the cases"),
        ({"ratios": [{**report_of().ratios[0].dict(), "times": 5}]}, "5.0 is not the quotient of the values"),
        ({"cases": [*report_of().cases, report_of().cases[0]]}, "a case has a way twice"),
        ({"machine": {"cpu": "a processor"}}, "cores"),
        ({"comment": "quick"}, "extra fields not permitted"),
    ],
)
def test_another_form_is_refused(changed: Dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as failure:
        report_of(**changed)
    assert message in str(failure.value)


def test_a_unit_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match='unit "h"; expected one of s, ms, requests/s'):
        case_of("the whole job", OURS, [1.0], "h")
