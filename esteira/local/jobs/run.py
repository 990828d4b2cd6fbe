"""Running a compiled job on this machine, as Vertex AI would run it."""

import os
import re
import signal
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Optional, Set

from esteira.errors import JobError
from esteira.files import telling_os_errors
from esteira.local.jobs.conditions import compile_condition
from esteira.local.jobs.containers import Containers, containers_of
from esteira.local.jobs.graph import build_graph
from esteira.local.jobs.launcher import Launcher
from esteira.local.jobs.leftovers import clear_leftovers, hold_run, no_run_begins, running_runs
from esteira.local.jobs.placeholders import check_placeholders
from esteira.local.jobs.reader import read_job
from esteira.local.jobs.resolver import check_queries
from esteira.local.jobs.result import RunResult
from esteira.local.jobs.scheduler import Scheduler
from esteira.local.jobs.spec import Job
from esteira.local.jobs.store import Store
from esteira.progress import Progress
from esteira.settings import Settings

__all__ = ["RunResult", "run_job"]

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
PROBE_BYTES = 1 << 20


def run_job(job: Mapping[str, Any], *, settings: Settings, run_id: str, report: Progress) -> RunResult:
    """Run a bound PipelineJob (JSON) and return how each of its tasks ended.

    Tasks that were done before, in this run or another, are taken from the cache. A run in
    which a task failed is a result too; `RunResult.require_success` turns it into an error.

    Raises JobError, before anything is run, for a job that cannot be run here, ImageError for
    one whose image cannot be (ISOLATION=container), StateError for a state folder that cannot be
    used. In the middle of a run, after all its processes were ended: StateError for a disk that
    fills up, KeyboardInterrupt on Ctrl-C or SIGTERM.
    """
    read = read_job(job)
    graph = check_job(read, run_id)
    logs = settings.state / "logs" / "runs"
    prepare_folder(logs / run_id)
    prepare_folder(Path(read.root))
    with interrupted_by_sigterm(), hold_run(logs, run_id), Store(settings.state / "metadata.sqlite") as store:
        clear_leftovers(store, logs, run_id)
        store.add_context(read.pipeline, "system.Pipeline")
        store.add_context(run_id, "system.PipelineRun")
        containers = make_containers(read, settings, logs, run_id, report)
        with Launcher(settings.root, settings.run.isolation, logs / run_id / "launcher.log", containers) as launcher:
            scheduler = Scheduler(
                read,
                graph,
                run_id=run_id,
                logs=logs / run_id,
                store=store,
                launcher=launcher,
                workers=settings.run.workers,
                use_cache=settings.run.cache,
                report=report,
            )
            with telling_os_errors("write", settings.state):
                run_to_end(scheduler, launcher)
    failed = any(task.state == "failed" for task in scheduler.results.values())
    ordered = {name: scheduler.results[name] for name in graph}
    return RunResult(run_id, "failed" if failed else "succeeded", ordered)


def make_containers(job: Job, settings: Settings, logs: Path, run_id: str, report: Progress) -> Optional[Containers]:
    """Return what runs tasks in containers, if they are to; what killed runs left of them is removed."""
    if settings.run.isolation != "container":
        return None
    containers = containers_of(settings, job.image, run_id, os.environ, partial(report.line, "image"))
    with no_run_begins(logs):
        containers.remove_leftovers(set(running_runs(logs)) - {run_id})
    return containers


def run_to_end(scheduler: Scheduler, launcher: Launcher) -> None:
    """Run all tasks; on an interruption end their processes first, then give them up."""
    try:
        scheduler.run()
    except BaseException:
        launcher.close()
        scheduler.cancel()
        raise


def check_job(job: Job, run_id: str) -> Dict[str, Set[str]]:
    """Return the graph of a job's tasks. Raises JobError for what would fail for sure."""
    for name in (run_id, *job.tasks):
        if not NAME.fullmatch(name):
            raise JobError(f'"{name}": cannot name a folder. Expected letters, digits, dots, dashes and underscores.')
    if run_id == job.pipeline:
        raise JobError(f'run "{run_id}": bears the name of its pipeline. Expected another one, such as {run_id}-1.')
    if not Path(job.root).is_absolute():
        raise JobError(
            f"job.runtimeConfig.gcsOutputDirectory: is {job.root}; expected an absolute path here.\n"
            "Bind the job to the environment local first: .venv/bin/inv release"
        )
    graph = build_graph(job)
    for task in job.tasks.values():
        check_placeholders(task)
        check_queries(task)
        if task.condition:
            compile_condition(task.condition, task.name)
    return graph


def prepare_folder(folder: Path) -> None:
    """Create a folder. Raises StateError if it cannot be written to, or its disk is full."""
    probe = folder / ".probe"
    with telling_os_errors("write", folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with probe.open("wb") as stream:
                stream.write(b"\0" * PROBE_BYTES)
        finally:
            if probe.exists():
                probe.unlink()


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does. Only the main thread can arrange that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
