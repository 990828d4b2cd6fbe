"""Running a release's job on Vertex AI, and what it came to."""

import time
from typing import Any, Callable, Optional

from esteira.errors import GoogleError, JobError
from esteira.google.api import Api, Json
from esteira.google.refusals import ExistsError, NotFoundError
from esteira.jobs.bind import Job
from esteira.local.builds.signals import calling_on_signals
from esteira.release.manifest import Outcome
from esteira.release.store import Store
from esteira.settings import Settings
from esteira.vertex.job import make_body, make_run_id, run_labels
from esteira.vertex.left_runs import BY_HAND, end_left_runs
from esteira.vertex.links import run_link
from esteira.vertex.outcome import read_outcome
from esteira.vertex.watch import Say, ask_to_cancel, look_at_run, watch_run

SUBMIT = "create the run"


def run_release(
    settings: Settings,
    api: Api,
    store: Store,
    release: str,
    job: Job,
    build_id: str,
    say: Say,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Run the bound job of a release, given by its id, on Vertex AI and return what it came to, a failure included.

    A build makes one run of a release: asked again, this goes on watching the run that is there, or returns what
    it came to. An empty `build_id` is somebody who typed the step by hand: a run of its own.

    A build holds the environment: runs that former builds have left there are ended first.
    An interruption (Ctrl-C, SIGTERM) cancels the run of a build; one made by hand goes on.
    Raises GoogleError if the run cannot be made or watched, JobError if another's run bears its name.
    """
    build = build_id or time.strftime(f"{BY_HAND}%Y%m%dt%H%M%S", time.gmtime())
    if build_id:
        end_left_runs(api, settings, build, say)
    run = make_run_id(settings.pipeline.name, release, build)
    submit_run(api, settings, run, release, build, job)
    say(f"run {run}: {run_link(settings, run)}")
    try:
        with calling_on_signals(interrupt):
            resource = watch_run(api, settings, run, say, pause=pause)
    except KeyboardInterrupt:
        say(leave_run(api, settings, run, cancel=bool(build_id)))
        raise
    return read_outcome(api, settings, store, run, resource)


def submit_run(api: Api, settings: Settings, run: str, release: str, build: str, job: Job) -> Json:
    """Return the run, made unless it is there. Raises GoogleError; JobError for another's run of that name."""
    labels = run_labels(settings, release, build)
    path = f"v1/{settings.environment.location}/pipelineJobs"
    find = lambda: find_run(api, settings, run)  # noqa: E731
    options: Any = {"body": make_body(settings, job, labels), "query": {"pipelineJobId": run}, "find": find}
    try:
        resource = api.call(SUBMIT, "aiplatform", "POST", path, **options)
    except ExistsError:
        resource = look_at_run(api, settings, run)
    theirs = resource.get("labels", {})
    if any(theirs.get(key) != value for key, value in labels.items()):
        raise JobError(
            f"run {run}: there is one of that name already, which is not of release {release} and build {build}: "
            f"{run_link(settings, run)}\nExpected none. Deploy again: make deploy ENV={settings.selected}"
        )
    return resource


def find_run(api: Api, settings: Settings, run: str) -> Optional[Json]:
    try:
        return look_at_run(api, settings, run)
    except NotFoundError:
        return None


def leave_run(api: Api, settings: Settings, run: str, *, cancel: bool) -> str:
    """Cancel a run that nobody waits for any more, or let it go on; return what to tell of it."""
    link, command = run_link(settings, run), f"make cancel ENV={settings.selected}"
    if not cancel:
        return f"The run goes on: {link}\nTo end it: {command}"
    try:
        ask_to_cancel(api, settings, run)
    except GoogleError as error:
        return f"{error}\nThe run goes on: {link}\nTo end it: {command}"
    return f"The run is cancelled, as its build was: {link}"


def interrupt() -> None:
    raise KeyboardInterrupt
