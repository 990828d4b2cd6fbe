"""`make status`: what is being deployed, what came of the last deploy, and what is served."""

from typing import Iterator, Optional

from typing_extensions import Literal

from esteira.deploy.record import Record, read_record
from esteira.errors import SettingsError
from esteira.release.history import read_pointer, read_releases
from esteira.release.lease import LeaseInfo, read_lease
from esteira.release.manifest import Frozen, Release
from esteira.release.store import open_store
from esteira.settings import Settings

State = Literal["deploying", "served", "not blessed", "failed", "interrupted", "none"]
ERROR_LINES = 6


class Status(Frozen):
    """`state` in a word; `last` is the newest release, `current` the one that is served."""

    environment: str
    state: State
    lease: Optional[LeaseInfo]
    record: Optional[Record]
    last: Optional[Release]
    current: Optional[Release]


def read_status(settings: Settings) -> Status:
    store = open_store(settings)
    lease, record = read_lease(store), read_record(settings)
    releases = read_releases(store)
    pointer = read_pointer(store)
    return Status(
        environment=settings.selected,
        state=state_of(lease, record, releases[0] if releases else None, pointer.release),
        lease=lease,
        record=record,
        last=releases[0] if releases else None,
        current=next((release for release in releases if release.id == pointer.release), None),
    )


def state_of(lease: Optional[LeaseInfo], record: Optional[Record], last: Optional[Release], current: str) -> State:
    """Return how things stand: a running deploy first, then what came of the last one."""
    if lease is not None and not lease.stale:
        return "deploying"
    if record is not None and record.state in ("running", "interrupted"):
        return "interrupted"
    if last is not None and last.outcome and last.outcome.evaluation and not last.outcome.blessed:
        return "not blessed"
    if record is not None and record.state == "failed":
        return "failed"
    if last is None:
        return "none"
    return "served" if last.id == current else "failed"


def show_status(status: Status, format: str) -> str:
    """Return the status as text for people, as JSON, or as its state alone."""
    if format == "json":
        return status.json(indent=2)
    if format == "word":
        return status.state
    if format != "text":
        raise SettingsError(f"FORMAT={format}: expected text, json or word")
    return "\n".join(lines(status))


def lines(status: Status) -> Iterator[str]:
    lease, record, last, current = status.lease, status.record, status.last, status.current
    if status.state == "deploying" and lease is not None:
        yield f"deploying  {lease.describe()}"
    elif status.state == "interrupted":
        yield "deploying  nothing; the last deploy was interrupted. Run: make deploy"
    else:
        yield "deploying  nothing"
    if record is not None and record.finished:
        yield f"last       {record.what} at {record.finished}: {record.state}"
        yield from (f"           {line}" for line in record.error.splitlines()[:ERROR_LINES])
    if last is not None and last.outcome and not last.outcome.blessed:
        yield f"           release {last.id} is not served: {last.outcome.error.splitlines()[0]}"
    if current is None:
        yield "served     nothing yet. Run: make deploy-full"
    else:
        yield f"served     release {current.id} ({current.kind}) of commit {current.commit[:7]}, made {current.at}"
