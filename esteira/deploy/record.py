"""What came of the last deploy from this machine, kept for `make status`."""

from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional

from pydantic import ValidationError
from typing_extensions import Literal

from esteira.clock import now
from esteira.errors import EsteiraError
from esteira.files import read_json, write_json
from esteira.release.manifest import Frozen
from esteira.settings import Settings

FILE = "deploy.json"


class Record(Frozen):
    """A deploy from its start on; `state` stays "running" where it was killed."""

    what: str
    started: str
    state: Literal["running", "succeeded", "failed", "interrupted"] = "running"
    finished: str = ""
    error: str = ""


@contextmanager
def recorded(settings: Settings, what: str) -> Iterator[None]:
    """Keep a record of the deploy that runs in the block, and of how it ends."""
    path = settings.state / FILE
    record = Record(what=what, started=now())
    write_json(path, record.dict())
    end = {"state": "failed", "error": "a defect of Esteira"}
    try:
        yield
        end = {"state": "succeeded"}
    except EsteiraError as error:
        end = {"state": "failed", "error": str(error)}
        raise
    except KeyboardInterrupt:
        end = {"state": "interrupted"}
        raise
    finally:
        write_json(path, record.copy(update={**end, "finished": now()}).dict())


def read_record(settings: Settings) -> Optional[Record]:
    """Return the record of the last deploy, None if there is none that can be read."""
    path: Path = settings.state / FILE
    if not path.exists():
        return None
    try:
        return Record(**read_json(path, "make deploy"))
    except (TypeError, ValidationError):
        return None
