import io
import json
from pathlib import Path
from typing import Any, Dict

import pytest
from rich.console import Console

from esteira.errors import JobError, NotBlessedError
from esteira.jobs.verdict import check_outcome, evaluation_table, missed_thresholds, pushed_model, read_evaluation
from esteira.local.jobs.result import Artifact, RunResult, TaskResult
from esteira.release.manifest import Outcome


def threshold(kind: str, value: float, bound: float, baseline: "float | None", passed: bool) -> Dict[str, Any]:
    return {
        "metric": "macro_f1",
        "kind": kind,
        "value": value,
        "bound": bound,
        "baseline": baseline,
        "passed": passed,
    }


def evaluation(*thresholds: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "blessed": all(one["passed"] for one in thresholds),
        "baseline": "m/1",
        "metrics": {"macro_f1": 0.41234, "example_count": 5874.0},
        "baseline_metrics": {"macro_f1": 0.5, "example_count": 5874.0},
        "thresholds": list(thresholds),
        "slices": {},
    }


def run_result(tmp_path: Path, content: Dict[str, Any]) -> RunResult:
    (tmp_path / "report.json").write_text(json.dumps(content))
    report = Artifact("a/1", "EvaluationReport", str(tmp_path), {})
    pushed = Artifact("a/2", "tfx.PushedModel", "/root/2", {"pushed_destination": "/serving/3"})
    tasks = {
        "EvaluationReport": TaskResult("EvaluationReport", "succeeded", 1, tmp_path, {"report": [report]}),
        "Pusher": TaskResult("Pusher", "succeeded", 1, tmp_path, {"pushed_model": [pushed]}),
    }
    return RunResult("run-1", "succeeded", tasks)


def outcome_of(report: Dict[str, Any]) -> Outcome:
    error = "" if report["blessed"] else "\n".join(missed_thresholds(report))
    return Outcome(run="run-1", at="", blessed=report["blessed"], error=error, evaluation=report)


def test_a_model_that_is_not_blessed_is_told_with_metric_value_threshold_and_baseline() -> None:
    missed = threshold("value", 0.41234, 0.6, None, False), threshold("change", -0.09, -0.01, 0.5, False)
    with pytest.raises(NotBlessedError) as caught:
        check_outcome(outcome_of(evaluation(*missed)))
    assert "  macro_f1 is 0.412, expected ≥ 0.600 (baseline none)\n" in str(caught.value)
    assert "  macro_f1 has changed by -0.090 from the baseline's 0.500, expected ≥ -0.010\n" in str(caught.value)
    assert "change the thresholds in [gate] of esteira.toml" in str(caught.value)


def test_a_failed_run_is_told_with_its_error() -> None:
    with pytest.raises(JobError, match="Trainer left with status 1"):
        check_outcome(Outcome(run="run-1", at="", blessed=False, error="Trainer left with status 1"))


def test_a_blessed_model_passes() -> None:
    check_outcome(outcome_of(evaluation(threshold("value", 0.7, 0.6, None, True))))


def test_the_table_shows_value_threshold_and_baseline() -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(evaluation_table(evaluation(threshold("value", 0.41234, 0.6, None, False))))
    header, count, score = console.export_text().splitlines()
    assert header.split() == ["metric", "value", "threshold", "baseline"]
    assert count.split() == ["example_count", "5,874"]
    assert score.split() == ["macro_f1", "0.412", "≥", "0.600", "0.500", "✗"]


def test_report_and_pushed_model_are_read_from_the_run(tmp_path: Path) -> None:
    content = evaluation(threshold("value", 0.7, 0.6, None, True))
    result = run_result(tmp_path, content)
    assert read_evaluation(result) == content
    assert pushed_model(result) == "/serving/3"


def test_a_pipeline_without_a_report_is_told_what_is_missing(tmp_path: Path) -> None:
    result = RunResult("run-1", "succeeded", {"Trainer": TaskResult("Trainer", "succeeded", 1, tmp_path)})
    with pytest.raises(JobError, match="has no task EvaluationReport with an output report. Its tasks are: Trainer."):
        read_evaluation(result)
