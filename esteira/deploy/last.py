"""What an environment saw last, as `make status` tells of it."""

from typing import NamedTuple, Optional

from esteira.deploy.record import Record
from esteira.deploy.remote_run import RunStatus
from esteira.release.manifest import Release


class Last(NamedTuple):
    """The record of a deploy, in Google Cloud with its run, its release and its build's page; or that of a rollback."""

    record: Optional[Record]
    run: Optional[RunStatus] = None
    release: Optional[Release] = None
    page: str = ""
