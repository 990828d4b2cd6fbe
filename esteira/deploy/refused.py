"""A deploy to Google Cloud that came to nothing before there was a build: what this machine knows alone."""

import os
from contextlib import contextmanager
from typing import Iterator, Optional

from esteira.clock import now
from esteira.deploy.record import Record, new_record, read_record, record_path
from esteira.errors import EsteiraError
from esteira.files import write_json
from esteira.settings import Settings


@contextmanager
def keeping_refusal(settings: Settings, what: str) -> Iterator[None]:
    """Keep for `make status` what error ends the block; forget that of the deploy before."""
    record = new_record(what, os.getpid())
    record_path(settings).unlink(missing_ok=True)
    try:
        yield
    except EsteiraError as error:
        end = {"state": "failed", "error": str(error), "exit_code": error.exit_code, "finished": now()}
        write_json(record_path(settings), record.copy(update=end).dict())
        raise


def read_refusal(settings: Settings) -> Optional[Record]:
    """Return the record of this machine's last deploy to Google Cloud if it was not submitted; on `local` None."""
    return None if settings.is_local else read_record(settings)
