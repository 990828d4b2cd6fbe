"""`make status`: what is being deployed, what came of the last deploy, and what is served."""

from typing import Iterator, Optional

from typing_extensions import Literal

from esteira.deploy.hold import has_ended
from esteira.deploy.last import Last
from esteira.deploy.record import Record, read_record
from esteira.deploy.refused import read_refusal
from esteira.deploy.remote_run import RunStatus, run_lines
from esteira.errors import NotBlessedError
from esteira.formats import check_format
from esteira.release.history import Pointer, known_release, read_pointer, release_ids
from esteira.release.lease import LeaseInfo, read_lease
from esteira.release.manifest import Frozen, Release
from esteira.release.store import Store, open_store
from esteira.settings import LOCAL, Settings

State = Literal["deploying", "served", "not blessed", "failed", "interrupted", "none"]
# What holds the environment without deploying into it.
COLLECTION = "make gc"
TRAFFIC = "make traffic"
# What serves a former release again.
ROLLBACK = "make rollback"
ERROR_LINES = 6
FORMATS = ("text", "json", "markdown", "word")


class Status(Frozen):
    """How things stand, `state` in a word.

    `lease` is held by who changes the environment now; `record` is that of the last deploy, on `local` of this
    machine's; `run` is the deploy's on Vertex AI; `current` is the release that is served, and `lost` the id of one
    that should be and has no manifest. In Google Cloud `made` is the release of the last deploy, as far as it came to
    one, `build_page` that of its build, `endpoint_page` that of the endpoint, and `refused` the record of the last
    deploy from this machine, if that was not even submitted.
    """

    environment: str
    state: State
    lease: Optional[LeaseInfo]
    record: Optional[Record]
    current: Optional[Release]
    run: Optional[RunStatus] = None
    lost: str = ""
    made: Optional[Release] = None
    build_page: str = ""
    endpoint_page: str = ""
    refused: Optional[Record] = None


def read_status(settings: Settings) -> Status:
    """Return how things stand; StateError if the environment's store cannot be read."""
    store = open_store(settings)
    lease, last, pointer = read_lease(store), last_deploy(settings, store), read_pointer(store)
    current = known_release(store, pointer.release) if pointer.release else None
    if lease is not None and (lease.stale or (lease.build and has_ended(settings, lease.build))):
        lease = None
    return Status(
        environment=settings.selected,
        state=state_of(lease, last.record, pointer, current, any_release=bool(release_ids(store))),
        lease=lease,
        record=last.record,
        current=current,
        run=last.run,
        lost="" if current else pointer.release,
        made=last.release,
        build_page=last.page,
        endpoint_page=endpoint_page(settings) if current else "",
        refused=read_refusal(settings),
    )


def last_deploy(settings: Settings, store: Store) -> Last:
    """Return the record of the last deploy: from this machine, or to Google Cloud from anywhere, then with its run."""
    if settings.is_local:
        return Last(read_record(settings))
    from esteira.deploy.remote_state import last_seen

    return last_seen(settings, store)


def endpoint_page(settings: Settings) -> str:
    """Return the page of the endpoint that serves in Google Cloud, "" where this machine does."""
    if settings.is_local:
        return ""
    from esteira.vertex.links import endpoint_link

    return endpoint_link(settings)


def state_of(
    lease: Optional[LeaseInfo],
    record: Optional[Record],
    pointer: Pointer,
    current: Optional[Release],
    *,
    any_release: bool,
) -> State:
    """Return how things stand: a running deploy first, then what came of the last one."""
    if (lease is not None and lease.what not in (COLLECTION, TRAFFIC)) or (record is not None and record.is_running):
        return "deploying"
    if pointer.release and current is None:
        return "failed"
    if record is None:
        return "served" if current else "failed" if any_release else "none"
    if record.state in ("running", "interrupted"):
        return "interrupted"
    if record.exit_code == NotBlessedError.exit_code:
        return "not blessed"
    return "served" if record.state == "succeeded" and current else "failed"


def show_status(status: Status, format: str) -> str:
    """Return the status as text, as JSON, as Markdown, or as its state alone; SettingsError for another format."""
    check_format(format, "make status", FORMATS)
    if format == "json":
        return status.json(indent=2)
    if format == "word":
        return status.state
    if format == "markdown":
        from esteira.deploy.status_markdown import status_markdown

        return status_markdown(status)
    return "\n".join(lines(status))


def lines(status: Status) -> Iterator[str]:
    lease, record, current = status.lease, status.record, status.current
    env = "" if status.environment == LOCAL else f" ENV={status.environment}"
    if lease is not None:
        yield f"deploying  {lease.describe()}"
    elif record is not None and record.is_running:
        yield f"deploying  {record.what}, since {record.started}"
    else:
        yield "deploying  nothing"
    if record is not None and not record.is_running:
        ended = record.finished or record.started
        yield f"last       {record.what} at {ended}: {'killed' if record.state == 'running' else record.state}"
        yield from (f"           {line}" for line in record.error.splitlines()[:ERROR_LINES])
        if status.state == "interrupted":
            again = ROLLBACK if record.what == ROLLBACK else "make deploy"
            yield f"           To go on with it, run: {again}{env}"
    if status.refused is not None:
        yield f"refused    {status.refused.what} at {status.refused.finished}, from this machine: it was not submitted"
        yield from (f"           {line}" for line in status.refused.error.splitlines()[:ERROR_LINES])
    if status.run is not None:
        yield from run_lines(status.run)
    if current is not None:
        made_of = f" of commit {current.commit[:7]}" if current.commit else ""
        yield f"served     release {current.id} ({current.kind}){made_of}, made {current.at}"
    elif status.lost:
        run = f"make rollback{env} RELEASE=id, or make deploy{env}"
        yield f"served     release {status.lost}, whose manifest is lost. Run: {run}"
    else:
        yield f"served     nothing yet. Run: make deploy-full{env}"
