"""What came of the last deploy from this machine, kept for `make status`."""

from contextlib import contextmanager
from pathlib import Path
from typing import Callable, ContextManager, Iterator, Optional

from pydantic import ValidationError
from typing_extensions import Literal

from esteira.clock import now
from esteira.errors import EsteiraError, StateError
from esteira.files import read_json, write_json
from esteira.release.holder import is_dead, process_start, this_machine
from esteira.release.manifest import Frozen
from esteira.settings import Settings


def record_path(settings: Settings) -> Path:
    """Return where the record of an environment's last deploy lies."""
    return settings.state / ("deploy.json" if settings.is_local else f"deploy-{settings.selected}.json")


class Record(Frozen):
    """A deploy or a rollback from its start on; `state` stays "running" where it was killed."""

    what: str
    started: str
    pid: int
    process_start: int
    machine: str
    state: Literal["running", "succeeded", "failed", "interrupted"] = "running"
    finished: str = ""
    error: str = ""
    exit_code: int = 0

    @property
    def is_running(self) -> bool:
        return self.state == "running" and not is_dead(self.pid, self.process_start, self.machine)


def begin_record(settings: Settings, what: str, pid: int) -> Record:
    """Keep, and return, a record that says that a process has begun."""
    record = new_record(what, pid)
    write_json(record_path(settings), record.dict())
    return record


def new_record(what: str, pid: int) -> Record:
    return Record(what=what, started=now(), pid=pid, process_start=process_start(pid), machine=this_machine())


def recorded(settings: Settings, what: str, pid: int) -> ContextManager[None]:
    """Keep a record of what runs in the block, and of how it ends. To be used by who holds the environment."""
    return kept(new_record(what, pid), lambda record: write_json(record_path(settings), record.dict()))


@contextmanager
def kept(record: Record, keep: Callable[[Record], object]) -> Iterator[None]:
    """Keep a record while the block runs, and then as that ended."""
    keep(record)
    end = {"state": "failed", "error": "a defect of Esteira", "exit_code": 70}
    try:
        yield
        end = {"state": "succeeded"}
    except EsteiraError as error:
        end = {"state": "failed", "error": str(error), "exit_code": error.exit_code}
        raise
    except KeyboardInterrupt:
        end = {"state": "interrupted"}
        raise
    finally:
        keep(record.copy(update={**end, "finished": now()}))


def read_record(settings: Settings) -> Optional[Record]:
    """Return the record of the last deploy, None if there is none that can be read."""
    path = record_path(settings)
    if not path.exists():
        return None
    try:
        return Record(**read_json(path, "make deploy"))
    except (StateError, TypeError, ValidationError):
        return None
