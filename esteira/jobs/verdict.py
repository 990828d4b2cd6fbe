"""The verdict over a run: was its model blessed, and by which figures."""

from pathlib import Path
from typing import Any, Dict, List

from rich.table import Table

from esteira.errors import JobError, NotBlessedError
from esteira.files import read_json
from esteira.local.jobs.result import RunResult
from esteira.release.gist import COUNT
from esteira.release.manifest import Outcome

REPORT_TASK = "EvaluationReport"
PUSHER_TASK = "Pusher"
SIGNS = {"value": "≥", "change": "Δ ≥"}

Evaluation = Dict[str, Any]


def read_evaluation(result: RunResult) -> Evaluation:
    """Return the content of the report.json that the run's EvaluationReport wrote."""
    artifact = output_of(result, REPORT_TASK, "report")
    evaluation: Evaluation = read_json(Path(artifact.uri) / "report.json", "make deploy-full")
    return evaluation


def pushed_model(result: RunResult) -> str:
    """Return the folder of the SavedModel that the run's Pusher pushed."""
    return str(output_of(result, PUSHER_TASK, "pushed_model").metadata["pushed_destination"])


def output_of(result: RunResult, task: str, name: str) -> Any:
    try:
        return result.tasks[task].outputs[name][0]
    except (KeyError, IndexError):
        raise JobError(
            f"pipeline/pipeline.py: the run has no task {task} with an output {name}. "
            f"Its tasks are: {', '.join(result.tasks)}. Expected it, as it tells whether the model may be served."
        ) from None


def check_outcome(outcome: Outcome) -> None:
    """Raise JobError if the run failed, NotBlessedError if its model missed a threshold."""
    if outcome.blessed:
        return
    if not outcome.evaluation:
        raise JobError(outcome.error)
    raise NotBlessedError(
        "The model is not blessed, so it is not served; what was served before still is.\n"
        + "\n".join(f"  {line}" for line in outcome.error.splitlines())
        + "\nImprove the model in modules/, or change the thresholds in [gate] of esteira.toml."
    )


def missed_thresholds(evaluation: Evaluation) -> List[str]:
    """Return a line for each threshold that the model missed."""
    missed = [threshold for threshold in evaluation["thresholds"] if not threshold["passed"]]
    return [missed_line(threshold) for threshold in missed] or [
        "No threshold was missed; see the Evaluator's log."
    ]


def missed_line(threshold: Dict[str, Any]) -> str:
    return (
        f"{threshold['metric']} is {figure(threshold['value'])}, "
        f"expected {SIGNS[threshold['kind']]} {figure(threshold['bound'])} "
        f"(baseline {figure(threshold['baseline'])})"
    )


def figure(value: Any) -> str:
    return "none" if value is None else f"{value:.3f}"


def evaluation_table(evaluation: Evaluation) -> Table:
    """Return metric, value, threshold and baseline as a table."""
    table = Table(box=None, pad_edge=False)
    for column in ("metric", "value", "threshold", "baseline", ""):
        table.add_column(column, justify="left" if column == "metric" else "right")
    baseline = evaluation.get("baseline_metrics") or {}
    for name, value in sorted(evaluation["metrics"].items()):
        shown = f"{value:,.0f}" if name == COUNT else figure(value)
        bounds = bounds_of(evaluation["thresholds"], name)
        passed = all(threshold["passed"] for threshold in bounds)
        table.add_row(
            name,
            shown,
            ", ".join(f"{SIGNS[bound['kind']]} {figure(bound['bound'])}" for bound in bounds),
            figure(baseline[name]) if name in baseline and name != COUNT else "",
            ("✓" if passed else "✗") if bounds else "",
        )
    return table


def bounds_of(thresholds: List[Dict[str, Any]], metric: str) -> List[Dict[str, Any]]:
    return [threshold for threshold in thresholds if threshold["metric"] == metric]
