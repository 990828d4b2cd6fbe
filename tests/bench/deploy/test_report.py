"""What was measured of deploys, in the form of every bench."""

from typing import Any, Dict

from bench.deploy.report import THEIRS, report_of
from tests.bench.test_form import HEAD


def run(total_s: float) -> Dict[str, Any]:
    return {"total_s": total_s, "cpu_s": 1.0, "requests": 5, "parts_s": {"step run": total_s}}


def test_both_ways_of_each_kind_are_compared() -> None:
    runs = {"ours": [run(2.0), run(1.0), run(3.0)], "theirs": [run(20.0), run(20.0), run(30.0)]}
    measured = {"latency_s": 0.05, "gcloud": "528.0.0", "runs": {"partial": runs, "network": runs, "full": runs}}
    report = report_of({**HEAD, "bench": "deploy"}, measured)
    titles = ["a module changed, `make deploy-partial`", "a module changed, 50 ms a request"]
    titles.append("the pipeline changed, `make deploy-full`")
    assert [(ratio.case, ratio.other, ratio.times, ratio.least, ratio.most) for ratio in report.ratios] == [
        (title, THEIRS, 10.0, 10.0, 20.0) for title in titles
    ]
    assert [(target.found, target.met) for target in report.targets] == [("2.00 s", True), ("10.0 times", True)]


def test_what_each_part_took_is_told() -> None:
    report = report_of(
        {**HEAD, "bench": "deploy"},
        {"latency_s": 0.05, "gcloud": "528.0.0", "runs": {"partial": {"ours": [run(2.0)]}}},
    )
    assert "a module changed, `make deploy-partial`, ours: step run 2.00 s; 1.0 CPU s, 5 requests" in report.notes
