"""`make status`: what is being deployed, what came of the last deploy, and what is served."""

from typing import Iterator, Optional, Tuple

from typing_extensions import Literal

from esteira.deploy.hold import has_ended
from esteira.deploy.record import Record, read_record
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
FORMATS = ("text", "json", "word")


class Status(Frozen):
    """How things stand, `state` in a word.

    `lease` is held by who changes the environment now; `record` is that of the last deploy, on `local` of this
    machine's; `run` is the deploy's on Vertex AI; `current` is the release that is served, and `lost` the id of one
    that should be and has no manifest.
    """

    environment: str
    state: State
    lease: Optional[LeaseInfo]
    record: Optional[Record]
    current: Optional[Release]
    run: Optional[RunStatus] = None
    lost: str = ""


def read_status(settings: Settings) -> Status:
    """Return how things stand; StateError if the environment's store cannot be read."""
    store = open_store(settings)
    lease, (record, run), pointer = read_lease(store), last_deploy(settings, store), read_pointer(store)
    current = known_release(store, pointer.release) if pointer.release else None
    if lease is not None and (lease.stale or (lease.build and has_ended(settings, lease.build))):
        lease = None
    return Status(
        environment=settings.selected,
        state=state_of(lease, record, pointer, current, any_release=bool(release_ids(store))),
        lease=lease,
        record=record,
        current=current,
        run=run,
        lost="" if current else pointer.release,
    )


def last_deploy(settings: Settings, store: Store) -> Tuple[Optional[Record], Optional[RunStatus]]:
    """Return the record of the last deploy: from this machine, or to Google Cloud from anywhere, then with its run."""
    if settings.is_local:
        return read_record(settings), None
    from esteira.deploy.remote_state import last_seen

    return last_seen(settings, store)


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
    """Return the status as text for people, as JSON, or as its state alone; SettingsError for another format."""
    check_format(format, "make status", FORMATS)
    if format == "json":
        return status.json(indent=2)
    if format == "word":
        return status.state
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
