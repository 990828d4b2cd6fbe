"""What tests of stores and leases have other processes do: python -m tests.release.other_process ACT URI ..."""

import subprocess
import sys
import time
from pathlib import Path
from typing import List

from esteira.errors import EsteiraError
from esteira.release.lease import check_lease, hold_lease
from esteira.release.store import Store
from esteira.release.store.cloud import CloudStore
from esteira.release.store.folder import FolderStore
from esteira.release.store.interface import ABSENT, ConflictError
from esteira.settings import Environment
from tests.conftest import REPOSITORY


def start(act: str, store: Store, *arguments: str) -> "subprocess.Popen[str]":
    """Start a process that does an act with the store, its output as text."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.release.other_process", act, store.uri, *arguments]
    return subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")


def finish(processes: List["subprocess.Popen[str]"]) -> List[str]:
    """Return what each process wrote, once all of them have succeeded."""
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), outputs
    return outputs


def store_at(uri: str) -> Store:
    """Return the store of a URI that a fixture's store has."""
    if not uri.startswith("gs://"):
        return FolderStore(Path(uri))
    bucket, pipeline = uri[len("gs://") :].split("/")
    environment = Environment(project="demo-project", region="europe-west1", bucket=bucket, repository="images")
    return CloudStore(environment, pipeline)


def count(store: Store, times: str) -> None:
    """Add one to the object `counter`, so many times, always on the number that was read."""
    added = 0
    while added < int(times):
        stored = store.read("counter")
        number, generation = (int(stored.content), stored.generation) if stored else (0, ABSENT)
        try:
            store.write("counter", b"%d" % (number + 1), if_generation=generation)
            added += 1
        except ConflictError:
            continue


def create(store: Store, content: str) -> None:
    """Write the object `first` if it is not there, and say which of it came to pass."""
    try:
        store.write("first", content.encode(), if_generation=ABSENT)
        print("won")
    except ConflictError:
        print("lost")


def lay(store: Store, prefix: str, folder: str) -> None:
    """Lay the files of a folder down."""
    store.lay_down(prefix, [(path.name, path) for path in Path(folder).iterdir()])


def hold(store: Store, lease_s: str, wait_s: str) -> None:
    """Hold the lease until a line comes in, then say whether it was held to the end."""
    with hold_lease(
        store, what="full deploy of 1a2b3c4", lease_s=float(lease_s), wait_s=float(wait_s), report=print
    ) as lease:
        lease.doing("step run")
        print("held", flush=True)
        sys.stdin.readline()
        try:
            check_lease(store, lease.token)
            print("kept")
        except EsteiraError as error:
            print(error)


def take_turns(store: Store, times: str) -> None:
    """Hold the lease a few times; fail if another process holds it meanwhile."""
    for _ in range(int(times)):
        with hold_lease(store, what="a turn", lease_s=60, wait_s=60, report=print):
            store.write("turn", b"", if_generation=ABSENT)
            time.sleep(0.01)
            store.delete(["turn"])


ACTS = {act.__name__: act for act in (count, create, lay, hold, take_turns)}

if __name__ == "__main__":
    ACTS[sys.argv[1]](store_at(sys.argv[2]), *sys.argv[3:])
