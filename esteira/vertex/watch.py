"""Watching a run until it is over, each change of a task told once; and ending one."""

import time
from typing import Callable, Dict, Iterator

from esteira.errors import GoogleError
from esteira.google.api import Api, Json
from esteira.google.operations import pauses
from esteira.google.refusals import LostError
from esteira.progress import MARKS
from esteira.settings import Settings
from esteira.vertex.job import run_name
from esteira.vertex.links import run_link
from esteira.vertex.tasks import TaskState, is_over, state_of, task_states

# How long nothing may be heard of a run before it is given up.
PATIENCE_S = 3600.0
PASSING = (408, 429)
LOOK = "look at the run"
CANCEL = "cancel the run"
# The states of a run, beside the end, that people want to know of.
TOLD = ("queued", "pending", "paused", "cancelling")

Say = Callable[[str], None]


def look_at_run(api: Api, settings: Settings, run: str) -> Json:
    """Return a run as Vertex AI has it. Raises NotFoundError if there is none, GoogleError."""
    return api.call(LOOK, "aiplatform", "GET", f"v1/{run_name(settings, run)}")


def watch_run(
    api: Api,
    settings: Settings,
    run: str,
    say: Say,
    *,
    pause: Callable[[float], None] = time.sleep,
    patience_s: float = PATIENCE_S,
) -> Json:
    """Return a run once it is over; `say` is told what changes meanwhile.

    Looks fail in passing; GoogleError if they do for `patience_s`, or are refused. The run goes on then.
    """
    story, silence_s = Story(say), 0.0
    for wait_s in pauses(settings.cloud.poll_s):
        try:
            resource = look_at_run(api, settings, run)
            story.tell(resource)
            if is_over(resource):
                return resource
            silence_s = 0.0
        except GoogleError as error:
            if not is_passing(error) or silence_s >= patience_s:
                raise going_on(error, settings, run) from error
            if not silence_s:
                say(f"{str(error).splitlines()[0]}    The run goes on; it is asked for again.")
            silence_s += wait_s
        pause(wait_s)
    raise AssertionError("there is always another pause")


def ask_to_cancel(api: Api, settings: Settings, run: str) -> None:
    """Ask for the end of a run and return before it has come. Raises GoogleError."""
    path = f"v1/{run_name(settings, run)}:cancel"
    try:
        api.call(CANCEL, "aiplatform", "POST", path, body={}, repeat=True)
    except GoogleError:
        # What has ended meanwhile cannot be cancelled any more.
        if not is_over(look_at_run(api, settings, run)):
            raise


def is_passing(error: GoogleError) -> bool:
    """Return whether a look may go well the next time."""
    return isinstance(error, LostError) or error.status in PASSING or error.status >= 500


def going_on(error: GoogleError, settings: Settings, run: str) -> GoogleError:
    """Return the error of a look with where the run, which nobody watches any more, can be seen."""
    text = f"{error}\nThe run goes on: {run_link(settings, run)}"
    return type(error)(text, error.status, error.reason)


class Story:
    """Tells what changes between two looks at a run."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._state = ""
        self._tasks: Dict[str, str] = {}

    def tell(self, resource: Json) -> None:
        state = state_of(resource)
        if state != self._state and state in TOLD:
            self._say(f"the run is {state}")
        self._state = state
        for name, task in task_states(resource).items():
            if task.state != self._tasks.get(name):
                self._tasks[name] = task.state
                for line in task_lines(task):
                    self._say(line)


def task_lines(task: TaskState) -> Iterator[str]:
    """Yield the line that tells how a task is now, as a run on `local` tells it; none while it waits."""
    if task.state == "running":
        yield f"… {task.name}"
    elif task.state in MARKS:
        seconds = "" if task.wall_s is None else f" {task.wall_s:.1f} s"
        detail = f": {task.error.splitlines()[0]}" if task.error else ""
        yield f"{MARKS[task.state]} {task.name}: {task.state}{seconds}{detail}"
