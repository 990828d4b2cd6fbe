"""The verdict over a run: was its model blessed, and by which figures."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from rich.table import Table

from esteira.clock import now
from esteira.errors import JobError, NotBlessedError
from esteira.files import read_json
from esteira.local.jobs.result import Artifact, RunResult
from esteira.release.gist import COUNT
from esteira.release.lineage.records import PUSHED_DESTINATION
from esteira.release.manifest import Outcome

REPORT_TASK = "EvaluationReport"
REPORT_FILE = "report.json"
PUSHER_TASK = "Pusher"
SIGNS = {"value": "≥", "change": "Δ ≥"}
EVALUATION_COLUMNS = ("metric", "value", "threshold", "baseline", "")

Evaluation = Dict[str, Any]
# What each task of a run put out, by task and key.
Outputs = Mapping[str, Mapping[str, Sequence[Artifact]]]


def read_evaluation(result: RunResult) -> Evaluation:
    """Return the content of the report.json that the EvaluationReport of a run on this machine wrote."""
    evaluation: Evaluation = read_json(Path(report_file(outputs_of(result))), "make deploy-full")
    return evaluation


def pushed_model(result: RunResult) -> str:
    """Return the folder of the SavedModel that the Pusher of a run on this machine pushed."""
    return pushed_destination(outputs_of(result))


def outputs_of(result: RunResult) -> Outputs:
    return {name: task.outputs for name, task in result.tasks.items()}


def report_file(outputs: Outputs) -> str:
    """Return where a run's EvaluationReport wrote its report.json: a path or a URI."""
    return f"{output_of(outputs, REPORT_TASK, 'report').uri}/{REPORT_FILE}"


def pushed_destination(outputs: Outputs) -> str:
    """Return where a run's Pusher pushed the SavedModel: a path or a URI; JobError if it pushed none."""
    pushed = output_of(outputs, PUSHER_TASK, "pushed_model").metadata.get(PUSHED_DESTINATION)
    if not pushed:
        raise JobError(
            f"pipeline/pipeline.py: {PUSHER_TASK} pushed no model, though it is blessed.\n"
            f"Expected its pushed_model to tell {PUSHED_DESTINATION}, as TFX's own Pusher does."
        )
    return str(pushed)


def output_of(outputs: Outputs, task: str, name: str) -> Artifact:
    """Return an artifact that a task put out; JobError if the run has no such task or output."""
    try:
        return outputs[task][name][0]
    except (KeyError, IndexError):
        raise JobError(
            f"pipeline/pipeline.py: the run has no task {task} with an output {name}. "
            f"Its tasks are: {', '.join(outputs)}. Expected it, as it tells whether the model may be served."
        ) from None


def judged(run: str, evaluation: Evaluation, model: str, logs: str) -> Outcome:
    """Return what a run came to whose tasks all went well: with the thresholds that its model missed, if any."""
    blessed: bool = evaluation["blessed"]
    error = "" if blessed else "\n".join(missed_thresholds(evaluation))
    return Outcome(run=run, at=now(), blessed=blessed, error=error, evaluation=evaluation, model=model, logs=logs)


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
    return [missed_line(threshold) for threshold in missed] or ["No threshold was missed; see the Evaluator's log."]


def missed_line(threshold: Dict[str, Any]) -> str:
    value, bound, baseline = (figure(threshold[key]) for key in ("value", "bound", "baseline"))
    if threshold["kind"] == "change":
        return f"{threshold['metric']} has changed by {value} from the baseline's {baseline}, expected ≥ {bound}"
    return f"{threshold['metric']} is {value}, expected {SIGNS[threshold['kind']]} {bound} (baseline {baseline})"


def figure(value: Any) -> str:
    return "none" if value is None else f"{value:.3f}"


def evaluation_table(evaluation: Evaluation) -> Table:
    """Return metric, value, threshold and baseline as a table."""
    table = Table(box=None, pad_edge=False)
    for column in EVALUATION_COLUMNS:
        table.add_column(column, justify="left" if column == "metric" else "right")
    for row in evaluation_rows(evaluation):
        table.add_row(*row)
    return table


def evaluation_rows(evaluation: Mapping[str, Any]) -> Iterator[Tuple[str, ...]]:
    """Yield what stands in EVALUATION_COLUMNS for each metric; a threshold that was missed has a cross in the last."""
    baseline = evaluation.get("baseline_metrics") or {}
    for name, value in sorted(evaluation["metrics"].items()):
        bounds = bounds_of(evaluation["thresholds"], name)
        passed = all(threshold["passed"] for threshold in bounds)
        yield (
            name,
            f"{value:,.0f}" if name == COUNT else figure(value),
            ", ".join(f"{SIGNS[bound['kind']]} {figure(bound['bound'])}" for bound in bounds),
            figure(baseline[name]) if name in baseline and name != COUNT else "",
            ("✓" if passed else "✗") if bounds else "",
        )


def bounds_of(thresholds: List[Dict[str, Any]], metric: str) -> List[Dict[str, Any]]:
    return [threshold for threshold in thresholds if threshold["metric"] == metric]
