"""How the last deploy to Google Cloud goes: its record, its end, its log."""

from typing import Callable, Optional

from esteira.builds.submit import OVER, cancel_build, exit_code_of, get_build
from esteira.deploy.last import Last
from esteira.deploy.record import Record
from esteira.deploy.remote_run import run_status
from esteira.deploy.rollback_record import last_rollback
from esteira.deploy.submission import Submission, read_submission
from esteira.deploy.watch import check_verdict
from esteira.errors import BuildError, StateError
from esteira.google.api import Api, Json
from esteira.google.open import open_api
from esteira.google.refusals import NotFoundError, RefusedError
from esteira.release.history import read_pointer, read_releases
from esteira.release.manifest import Release
from esteira.release.store import Store, open_store
from esteira.settings import Settings

STATES = {"SUCCESS": "succeeded", "CANCELLED": "interrupted"}


def last_seen(settings: Settings, store: Store) -> Last:
    """Return the last build that was submitted, as Cloud Build and Vertex AI know it, or the rollback after it."""
    submission = read_submission(store)
    rollback = last_rollback(store, submission)
    if rollback or submission is None:
        return Last(rollback)
    api, release = open_api(settings), release_of(store, submission.build)
    record, run = build_record(settings, api, store, submission, release), run_status(settings, api, release)
    return Last(record, run, release, submission.page)


def build_record(
    settings: Settings, api: Api, store: Store, submission: Submission, release: Optional[Release]
) -> Record:
    """Return the record of a build that was submitted, as Cloud Build knows it; `release` is what it has made."""
    what = f"{submission.what}, build {submission.build}"
    try:
        build = get_build(settings, api, submission.build)
    except NotFoundError:
        build = forgotten(store, submission, release)
    if build["status"] not in OVER:
        return Record(what=what, started=submission.at, pid=0, process_start=0, machine="", state="running")
    state = STATES.get(build["status"], "failed")
    ended = str(build.get("finishTime", submission.at))[:19].rstrip("Z") + "Z"
    return Record(
        what=what,
        started=submission.at,
        pid=0,
        process_start=0,
        machine="",
        state=state,
        finished=ended,
        error=reason_of(settings, build, release) if state == "failed" else "",
        exit_code=exit_code_of(build) or (BuildError.exit_code if state == "failed" else 0),
    )


def forgotten(store: Store, submission: Submission, release: Optional[Release]) -> Json:
    """Return a build that Cloud Build does not know any more, by what it has left in the store."""
    if release and read_pointer(store).release == release.id:
        return {"id": submission.build, "status": "SUCCESS"}
    detail = f"build {submission.build}: Cloud Build does not know it any more"
    return {"id": submission.build, "status": "EXPIRED", "statusDetail": detail}


def reason_of(settings: Settings, build: Json, release: Optional[Release]) -> str:
    """Return why a build failed: what its release's run came to, else which step it was."""
    if release and release.outcome and release.outcome.error:
        return release.outcome.error
    try:
        check_verdict(settings, build)
    except BuildError as error:
        return str(error)
    return ""


def release_of(store: Store, build: str) -> Optional[Release]:
    """Return the release that a build made, None if it has not come to that."""
    return next((release for release in read_releases(store) if release.build == build), None)


def cancel_deploy(settings: Settings, say: Callable[[str], None]) -> None:
    """End the last build that was submitted, and its run; nothing is done where they are over.

    Raises StateError if nothing was submitted.
    """
    submission = last_submission(settings)
    store, api = open_store(settings), open_api(settings)
    try:
        cancel_build(settings, api, submission.build)
        say(f"cancelled build {submission.build}")
    except NotFoundError:
        say(f"build {submission.build}: Cloud Build does not know it any more")
    except RefusedError:
        status = get_build(settings, api, submission.build)["status"]
        if status not in OVER:
            raise
        say(f"build {submission.build} is over: {status.lower().replace('_', ' ')}")
    cancel_its_run(settings, store, api, submission, say)


def cancel_its_run(
    settings: Settings, store: Store, api: Api, submission: Submission, say: Callable[[str], None]
) -> None:
    from esteira.vertex.job import make_run_id
    from esteira.vertex.runs import cancel_run

    release = release_of(store, submission.build)
    if release is None:
        return
    run = make_run_id(settings.pipeline.name, release.id, submission.build)
    try:
        say(f"run {run}: {cancel_run(api, settings, run).state}")
    except NotFoundError:
        say(f"run {run}: has not begun")


def last_submission(settings: Settings) -> Submission:
    """Return the last build that was submitted; StateError if there is none, or the environment is local."""
    if settings.is_local:
        raise StateError(
            "ENV=local: deploys here run in the terminal, or in a process of their own; their logs lie in "
            f"{settings.state / 'logs'}.\nExpected the name of a Google Cloud environment, such as ENV=dev"
        )
    submission = read_submission(open_store(settings))
    if submission is None:
        raise StateError(f"{settings.selected}: nothing was submitted yet. Run: make deploy ENV={settings.selected}")
    return submission


def show_logs(settings: Settings, say: Callable[[str], None], *, follow: bool) -> None:
    """Show what the last build and its run's tasks have written; with `follow` until each of them is over."""
    from esteira.vertex.job import make_run_id
    from esteira.vertex.logs import build_logs, run_logs

    submission, api = last_submission(settings), open_api(settings)

    def build_is_over() -> bool:
        return not follow or get_build(settings, api, submission.build)["status"] in OVER

    for line in build_logs(api, submission.build, build_is_over):
        say(line)
    release = release_of(open_store(settings), submission.build)
    if release is None:
        return
    run = make_run_id(settings.pipeline.name, release.id, submission.build)
    try:
        for line in run_logs(api, settings, run, follow=follow):
            say(line)
    except NotFoundError:
        say(f"run {run}: has not begun")
