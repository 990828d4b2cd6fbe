"""What came of the last rollback in Google Cloud, kept in the environment's store, so that anyone can see it."""

import json
import os
from contextlib import suppress
from typing import ContextManager, Optional

from pydantic import ValidationError

from esteira.deploy.record import Record, kept, new_record
from esteira.deploy.submission import Submission, read_submission
from esteira.errors import EsteiraError
from esteira.release.lease import read_lease
from esteira.release.manifest import Frozen
from esteira.release.store import Store

NAME = "rollback.json"


class Rollback(Frozen):
    """A rollback; `after` is the build that had been submitted last when it began, whatever clocks say."""

    after: str
    record: Record


def recorded_rollback(store: Store, what: str) -> ContextManager[None]:
    """Keep a record of what runs in the block, and of how it ends. To be used by who holds the environment."""
    submission = read_submission(store)
    after = submission.build if submission else ""

    def keep(record: Record) -> None:
        content = f"{Rollback(after=after, record=record).json(indent=2)}\n".encode()
        if record.state in ("running", "succeeded"):
            store.write(NAME, content)
        else:
            with suppress(EsteiraError):  # What has failed is told, and a store out of reach need not be told, too.
                store.write(NAME, content)

    return kept(new_record(what, os.getpid()), keep)


def last_rollback(store: Store, submission: Optional[Submission]) -> Optional[Record]:
    """Return the record of the last rollback, None if there is none since the last build was submitted."""
    stored = store.read(NAME)
    try:
        rollback = Rollback(**json.loads(stored.content)) if stored else None
    except (ValueError, TypeError, ValidationError):
        return None
    if rollback is None or rollback.after != (submission.build if submission else ""):
        return None
    record = rollback.record
    if record.state == "running" and not is_held(store, record.what):
        return record.copy(update={"state": "interrupted"})
    return record


def is_held(store: Store, what: str) -> bool:
    lease = read_lease(store)
    return lease is not None and not lease.stale and lease.what == what
