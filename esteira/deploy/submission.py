"""The last build that was submitted to an environment, kept in its store, so that anyone can see how it goes."""

import json
from typing import Optional

from pydantic import ValidationError

from esteira.builds.submit import Submitted
from esteira.release.manifest import Frozen
from esteira.release.order import Order
from esteira.release.store import Store

NAME = "deploy.json"


class Submission(Frozen):
    """A build, what it was submitted for, and by whom; `page` shows it in a browser."""

    build: str
    page: str
    what: str
    kind: str
    by: str
    at: str
    commit: str
    follows: str


def keep_submission(store: Store, order: Order, build: Submitted, what: str) -> Submission:
    """Keep, and return, what was submitted."""
    submission = Submission(
        build=build.id,
        page=build.page,
        what=what,
        kind=order.kind,
        by=order.by,
        at=order.at,
        commit=order.commit,
        follows=order.parent or "",
    )
    store.write(NAME, f"{submission.json(indent=2)}\n".encode())
    return submission


def read_submission(store: Store) -> Optional[Submission]:
    """Return the last build that was submitted, None if there is none that can be read."""
    stored = store.read(NAME)
    try:
        return Submission(**json.loads(stored.content)) if stored else None
    except (ValueError, TypeError, ValidationError):
        return None
