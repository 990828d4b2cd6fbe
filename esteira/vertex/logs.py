"""The logs of a run's tasks and of a build, as Cloud Logging has them.

A task of a pipeline runs as a custom job, whose entries are of the resource ml_job with the job's id; what Vertex
AI itself says of the run is of the resource aiplatform.googleapis.com/PipelineJob.
https://cloud.google.com/vertex-ai/docs/pipelines/logging
"""

import time
from typing import Callable, Dict, Iterator, Sequence

from esteira.google.api import Api, Json
from esteira.google.log import Entry, LogFollower, build_filter, follow_log
from esteira.settings import Settings
from esteira.vertex.tasks import is_over, task_states
from esteira.vertex.watch import look_at_run

EVENTS = "aiplatform.googleapis.com/PipelineJob"


def run_logs(
    api: Api,
    settings: Settings,
    run: str,
    *,
    follow: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Yield the lines of a run's logs, each behind its task's name; with `follow` until the run is over.

    Raises NotFoundError if there is no such run, GoogleError if it or its logs cannot be read.
    """
    tasks: Dict[str, str] = {}
    follower = LogFollower(api)

    def look() -> bool:
        resource = look_at_run(api, settings, run)
        tasks.update(tasks_by_job(resource))
        follower.filter = run_filter(run, list(tasks))
        return not follow or is_over(resource)

    for entry in follow_log(follower, look, pause=pause):
        yield from entry_lines(entry, tasks.get(entry.labels.get("job_id", ""), "run"))


def build_logs(
    api: Api,
    build: str,
    is_over: Callable[[], bool],
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Yield the lines of a build's log, each behind its step's id, until it `is_over`. Raises GoogleError."""
    for entry in follow_log(LogFollower(api, build_filter(build)), is_over, pause=pause):
        yield from entry_lines(entry, entry.source)


def entry_lines(entry: Entry, name: str) -> Iterator[str]:
    for line in entry.text.splitlines():
        yield f"{name}: {line}"


def tasks_by_job(resource: Json) -> Dict[str, str]:
    """Return the task that each custom job of a run is of."""
    return {job: name for name, task in task_states(resource).items() for job in task.jobs}


def run_filter(run: str, jobs: Sequence[str]) -> str:
    """Return the filter for all that a run and its tasks' custom jobs wrote."""
    events = f'(resource.type="{EVENTS}" AND resource.labels.pipeline_job_id="{run}")'
    return f"{events} OR ({task_filter(jobs)})" if jobs else events


def task_filter(jobs: Sequence[str]) -> str:
    """Return the filter for what custom jobs wrote."""
    ids = " OR ".join(f'"{job}"' for job in jobs)
    return f'resource.type="ml_job" AND resource.labels.job_id=({ids})'
