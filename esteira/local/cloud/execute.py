"""A job of Google Cloud run for real on this machine, as far as Vertex AI would: from a bucket, into a bucket."""

import os
import threading
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Tuple
from urllib.parse import urlsplit

from rich.console import Console

from esteira.errors import EsteiraError
from esteira.files import write_bytes
from esteira.google.api import Json
from esteira.local.cloud.clock import Clock
from esteira.local.cloud.details import custom_job, root_detail, task_detail, with_outputs
from esteira.local.jobs.failure import read_tail
from esteira.local.jobs.localise import localised
from esteira.local.jobs.run import RunResult, run_job
from esteira.progress import Progress
from esteira.release.lineage.records import PUSHED_DESTINATION
from esteira.release.store import Store
from esteira.release.store.folder import EPOCH_S
from esteira.settings import Settings

# Told of each line that a task's custom job wrote: the job's id, and the line.
Log = Callable[[str, str], None]


def execute_job(
    resource: Json, *, settings: Settings, store: Store, folder: Path, log: Log = lambda job, line: None
) -> Iterator[List[Json]]:
    """Run a posted PipelineJob here and yield the details of its tasks, as they are at that moment, until it is over.

    What the job reads is fetched from the store into `folder`, which stands for the bucket and is kept for the next
    run's cache; what it wrote is laid down in the store before the last details. A reader that goes away ends the
    run before its next task. `settings` say where the run's state is kept and how its tasks are isolated.
    Raises EsteiraError for a job that cannot be run.
    """
    run = resource["name"].rpartition("/")[2]
    fetch_inputs(resource, store, folder)
    report = Tasks(run, resource["pipelineSpec"])
    job = localised(runnable(resource), str(folder))
    work = Work(lambda: run_job(job, settings=settings, run_id=run, report=report))
    try:
        while work.is_alive():
            yield report.details()
            work.join(0.02)
        result = work.result()
        lay_down_outputs(result, store, folder)
        report.hand_on_logs(result, log)
        yield report.details(result, {str(folder / bucket_of(store)[1]): store.uri})
    finally:
        report.ended = True


class Work(threading.Thread):
    """Runs a job in a thread of its own, so that others can look at it meanwhile."""

    def __init__(self, run: Callable[[], RunResult]) -> None:
        super().__init__(daemon=True)
        self._run = run
        self._result: Optional[RunResult] = None
        self._error: Optional[EsteiraError] = None
        self.start()

    def run(self) -> None:
        try:
            self._result = self._run()
        except EsteiraError as error:
            self._error = error
        except KeyboardInterrupt:
            return

    def result(self) -> RunResult:
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result


class Tasks(Progress):
    """Keeps how far each task is; once `ended`, the next task to start ends the run."""

    def __init__(self, run: str, spec: Json) -> None:
        super().__init__([], Console(quiet=True))
        self.ended = False
        self._run_id = run
        self._numbers = {name: number for number, name in enumerate(spec["root"]["dag"]["tasks"], 1)}
        self._containers = container_tasks(spec)
        self._clock = Clock()
        self._began = self._clock.now()
        # By task: its state, when it started and when it ended.
        self._tasks: Dict[str, Tuple[str, str, str]] = {}

    def started(self, name: str) -> None:
        if self.ended:
            raise KeyboardInterrupt
        self._tasks[name] = ("running", self._clock.now(), "")

    def finished(self, name: str, outcome: str, detail: str = "") -> None:
        now = self._clock.now()
        _, started, _ = self._tasks.get(name, ("", now, ""))
        self._tasks[name] = (outcome, started, now)

    def line(self, name: str, text: str) -> None:
        return

    def details(self, result: Optional[RunResult] = None, places: Optional[Dict[str, str]] = None) -> List[Json]:
        """Return the details of the run's graph and of the tasks so far; with their outputs once there is a result."""
        state = "RUNNING" if result is None else result.state.upper()
        told = [root_detail(self._run_id, state, self._began)]
        for name, (state, started, ended) in list(self._tasks.items()):
            number, container = self._numbers[name], name in self._containers
            detail = task_detail(number, name, state, started, ended, container=container)
            told.append(with_outputs(detail, result.tasks.get(name) if result else None, places or {}))
        return told

    def hand_on_logs(self, result: RunResult, log: Log) -> None:
        """Hand on the end of each task's log, as Cloud Logging would have it."""
        for name in self._containers:
            for line in read_tail(result.tasks[name].log).splitlines():
                log(custom_job(self._numbers[name]), line[2:])


def container_tasks(spec: Json) -> List[str]:
    """Return the tasks that run a command, which importers and resolvers do not."""
    executors = spec["deploymentSpec"]["executors"]
    tasks = spec["root"]["dag"]["tasks"].items()
    labels = {name: spec["components"][task["componentRef"]["name"]]["executorLabel"] for name, task in tasks}
    return [name for name, label in labels.items() if "container" in executors[label]]


def runnable(resource: Json) -> Json:
    """Return what of a posted job the runner of this machine knows; each task that can run here runs, as if slow."""
    config = {key: value for key, value in resource["runtimeConfig"].items() if key != "failurePolicy"}
    return {"pipelineSpec": resource["pipelineSpec"], "runtimeConfig": config}


def bucket_of(store: Store) -> Tuple[str, str]:
    """Return the bucket and the prefix that a store is, gs://bucket/prefix."""
    parts = urlsplit(store.uri)
    return parts.netloc, parts.path.strip("/")


def fetch_inputs(resource: Json, store: Store, folder: Path) -> None:
    """Fetch what the job's parameters name in the store, unless it is there: its names follow from its content."""
    prefix = f"{store.uri}/"
    for value in resource["runtimeConfig"].get("parameters", {}).values():
        uri = value.get("stringValue", "")
        if uri.startswith(prefix):
            fetch(store, uri[len(prefix) :], folder / bucket_of(store)[1])


def fetch(store: Store, name: str, folder: Path) -> None:
    """Fetch an object, or all below a prefix, with the one time stamp that ExampleGen's fingerprint knows."""
    entries = store.list(name)
    for path in [entry.name for entry in entries] or [name]:
        target = folder / path
        stored = None if target.exists() else store.read(path)
        if stored is not None:
            write_bytes(target, stored.content)
            os.utime(target, (EPOCH_S, EPOCH_S))


def lay_down_outputs(result: RunResult, store: Store, folder: Path) -> None:
    """Lay down what the run's tasks put out, and the model that was pushed."""
    home = folder / bucket_of(store)[1]
    for task in result.tasks.values():
        for artifact in [artifact for found in task.outputs.values() for artifact in found]:
            lay_down(store, home, Path(artifact.uri))
            pushed = artifact.metadata.get(PUSHED_DESTINATION)
            if pushed:
                lay_down(store, home, Path(str(pushed)))


def lay_down(store: Store, home: Path, place: Path) -> None:
    """Lay a folder or a file below `home` down under its own name, unless the store has it."""
    if home not in place.parents or not place.exists():
        return
    if place.is_file():
        store.lay_down(place.parent.relative_to(home).as_posix(), [(place.name, place)])
        return
    files = [(path.relative_to(place).as_posix(), path) for path in place.rglob("*") if path.is_file()]
    store.lay_down(place.relative_to(home).as_posix(), files)
