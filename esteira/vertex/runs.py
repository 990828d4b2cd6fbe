"""Runs that are there: how far they are, and ending them."""

import time
from typing import Callable, Iterator, List, NamedTuple

from esteira.google.api import Api, Json
from esteira.settings import Settings
from esteira.vertex.job import run_labels
from esteira.vertex.links import run_link
from esteira.vertex.tasks import PREFIX, TaskState, describe_error, is_over, state_of, task_states
from esteira.vertex.watch import Say, ask_to_cancel, look_at_run, watch_run

# A run that is being cancelled ends by itself.
UNFINISHED = [f'state="{PREFIX}{word}"' for word in ("QUEUED", "PENDING", "RUNNING", "PAUSED")]


class RunState(NamedTuple):
    """How far a run is: queued, pending, running, cancelling, paused, succeeded, failed or cancelled.

    Times are RFC 3339 in UTC, "" where it has not come to that; `error` is why it failed. `build` is the label of
    what began it: "" is a schedule.
    """

    run: str
    state: str
    release: str
    build: str
    started: str
    ended: str
    error: str
    link: str
    tasks: List[TaskState]

    @property
    def is_over(self) -> bool:
        return bool(self.ended)


def run_state(api: Api, settings: Settings, run: str) -> RunState:
    """Return how far a run is, by its id or resource name. Raises NotFoundError if there is none, GoogleError."""
    return read_state(settings, look_at_run(api, settings, run))


def list_runs(api: Api, settings: Settings, release: str = "", *, unfinished: bool = False) -> Iterator[RunState]:
    """Yield the environment's runs, or those of one release, the latest first; without their tasks, which no
    listing has. With `unfinished` only those that may still do something.

    Raises GoogleError.
    """
    labels = run_labels(settings, release, "")
    wanted = [f'labels.{key}="{value}"' for key, value in labels.items() if value]
    wanted += [f"({' OR '.join(UNFINISHED)})"] if unfinished else []
    query = {"filter": " AND ".join(wanted), "orderBy": "create_time desc"}
    path = f"v1/{settings.environment.location}/pipelineJobs"
    for resource in api.pages("list the runs", "aiplatform", path, "pipelineJobs", query):
        yield read_state(settings, resource)


def cancel_run(
    api: Api,
    settings: Settings,
    run: str,
    *,
    say: Say = lambda line: None,
    pause: Callable[[float], None] = time.sleep,
) -> RunState:
    """End a run, by its id or resource name, and return how it ended: cancelled, or as it had ended before.

    Raises NotFoundError if there is no such run, GoogleError.
    """
    resource = look_at_run(api, settings, run)
    if not is_over(resource):
        ask_to_cancel(api, settings, run)
        resource = watch_run(api, settings, run, say, pause=pause)
    return read_state(settings, resource)


def read_state(settings: Settings, resource: Json) -> RunState:
    run = resource["name"].rpartition("/")[2]
    return RunState(
        run=run,
        state=state_of(resource),
        release=resource.get("labels", {}).get("release", ""),
        build=resource.get("labels", {}).get("build", ""),
        started=resource.get("startTime", ""),
        ended=resource.get("endTime", ""),
        error=describe_error(resource.get("error")),
        link=run_link(settings, run),
        tasks=list(task_states(resource).values()),
    )
