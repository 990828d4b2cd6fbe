"""Runs that were killed: who still runs, and what the dead ones left."""

import fcntl
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Iterator, List, Optional

from esteira.errors import StateError
from esteira.local.jobs.store import Store
from esteira.locks import is_locked, locked

LOCK = "run.lock"


@contextmanager
def hold_run(logs: Path, run_id: str) -> Iterator[None]:
    """Hold a run's lock; it is dropped when this process dies. Raises StateError if another holds it."""
    with no_run_begins(logs):
        lock = take_lock(logs, run_id)
    if lock is None:
        raise StateError(
            f"run {run_id}: is running in another process.\n"
            f"Expected a run id of its own for each run. Wait for it, or look at its logs: {logs / run_id}"
        )
    with lock:
        yield


@contextmanager
def no_run_begins(logs: Path) -> Iterator[None]:
    """Keep runs from beginning meanwhile, so that those that run now can be told from those to come."""
    logs.mkdir(parents=True, exist_ok=True)
    with locked(logs):
        yield


def running_runs(logs: Path) -> List[str]:
    """Return the ids of the runs that a living process holds. The caller keeps others from beginning."""
    return sorted(lock.parent.name for lock in logs.glob(f"*/{LOCK}") if is_locked(lock))


def take_lock(logs: Path, run_id: str) -> Optional[IO[bytes]]:
    (logs / run_id).mkdir(parents=True, exist_ok=True)
    lock = (logs / run_id / LOCK).open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def clear_leftovers(store: Store, logs: Path, run_id: str) -> None:
    """Cancel what dead runs left unfinished, and remove its folders. The caller holds `run_id`."""
    for run in store.unfinished_runs():
        if run == run_id:
            clear_run(store, run)
            continue
        lock = take_lock(logs, run)
        if lock is not None:
            with lock:
                clear_run(store, run)


def clear_run(store: Store, run: str) -> None:
    for folder in store.cancel_left_over(run):
        shutil.rmtree(folder, ignore_errors=True)
