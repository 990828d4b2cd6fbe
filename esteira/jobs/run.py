"""Running a release's job and keeping what it came to."""

import time
from typing import Any, Dict, Tuple

from esteira.clock import now
from esteira.errors import JobError
from esteira.jobs.bind import Job
from esteira.jobs.verdict import judged, pushed_model, read_evaluation
from esteira.local.jobs.run import run_job
from esteira.progress import Progress
from esteira.release.manifest import Outcome
from esteira.settings import Settings


def run_release(settings: Settings, release: str, job: Job) -> Outcome:
    """Run a release's bound job here and return what it came to, a failed task included."""
    run_id = f"{release}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
    logs = str(settings.state / "logs" / "runs" / run_id)
    try:
        evaluation, model = run_tasks(settings, run_id, job)
    except JobError as error:
        return Outcome(run=run_id, at=now(), blessed=False, error=str(error), logs=logs)
    return judged(run_id, evaluation, model, logs)


def run_tasks(settings: Settings, run_id: str, job: Job) -> Tuple[Dict[str, Any], str]:
    """Return the run's evaluation and the folder of its pushed model; JobError if a task failed."""
    with Progress(list(job["pipelineSpec"]["root"]["dag"]["tasks"])) as report:
        result = run_job(job, settings=settings, run_id=run_id, report=report)
    result.require_success()
    evaluation = read_evaluation(result)
    return evaluation, pushed_model(result) if evaluation["blessed"] else ""
