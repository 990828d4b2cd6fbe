"""What a run in Google Cloud came to, by the same verdict as on `local`."""

import json
from typing import List

from esteira.clock import now
from esteira.errors import GoogleError, JobError
from esteira.google.api import Api, Json
from esteira.google.log import read_tail
from esteira.jobs.verdict import Evaluation, judged, pushed_destination, report_file
from esteira.release.manifest import Outcome
from esteira.release.store import Store
from esteira.settings import Settings
from esteira.vertex.links import log_link, run_link
from esteira.vertex.logs import task_filter
from esteira.vertex.tasks import TaskState, describe_error, read_outputs, state_of, task_states

TAIL_LINES = 20


def read_outcome(api: Api, settings: Settings, store: Store, run: str, resource: Json) -> Outcome:
    """Return what a run that is over came to, a failed task and a model that is not blessed included.

    Raises StateError if the bucket cannot be read.
    """
    link = run_link(settings, run)
    try:
        if state_of(resource) != "succeeded":
            raise JobError(describe_end(api, settings, run, resource))
        outputs = read_outputs(resource)
        evaluation = read_evaluation(store, report_file(outputs))
        model = pushed_destination(outputs) if evaluation["blessed"] else ""
    except JobError as error:
        return Outcome(run=run, at=now(), blessed=False, error=str(error), logs=link)
    return judged(run, evaluation, model, link)


def read_evaluation(store: Store, uri: str) -> Evaluation:
    """Return the report.json of a run's EvaluationReport; JobError if it is not in the bucket."""
    prefix = f"{store.uri}/"
    stored = store.read(uri[len(prefix) :]) if uri.startswith(prefix) else None
    try:
        evaluation: Evaluation = json.loads(stored.content if stored else "")
    except ValueError:
        raise JobError(
            f"{uri}: {'is no JSON' if stored else 'is not there'}.\n"
            f"Expected what the run's EvaluationReport wrote, below {prefix}root"
        ) from None
    return evaluation


def describe_end(api: Api, settings: Settings, run: str, resource: Json) -> str:
    """Return why a run did not succeed, with the end of the failed tasks' logs, and where to look on."""
    link = f"The run: {run_link(settings, run)}"
    if state_of(resource) == "cancelled":
        return f"run {run}: was cancelled.\n{link}\nTo run it again: make deploy ENV={settings.selected}"
    failed = [task for task in task_states(resource).values() if task.state == "failed"]
    told = [describe_failure(api, settings, task) for task in failed]
    whole = describe_error(resource.get("error")) or "no reason is given"
    return "\n\n".join(told or [f"run {run}: failed: {whole}"]) + f"\n{link}"


def describe_failure(api: Api, settings: Settings, task: TaskState) -> str:
    """Return what a user needs to know of a failed task."""
    lines = [f"task {task.name}: failed: {task.error or 'no reason is given'}"]
    if task.jobs:
        # What failed is the last job that was begun.
        filter = task_filter(task.jobs[-1:])
        tail = read_log_tail(api, filter)
        lines += ["The end of its log:", *(f"  {line}" for line in tail)] if tail else []
        lines.append(f"The whole log: {log_link(settings, filter)}")
    return "\n".join(lines)


def read_log_tail(api: Api, filter: str) -> List[str]:
    """Return the last lines of a log, none if Cloud Logging cannot be read: it is no reason to fail."""
    try:
        entries = read_tail(api, filter, TAIL_LINES)
    except GoogleError:
        return []
    lines = [line for entry in entries for line in entry.text.splitlines() if line.strip()]
    return lines[-TAIL_LINES:]
