"""One execution of a build: start what may start, take what ends, stop all at the first failure."""

import math
import re
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Dict, List, Mapping, Optional, Set

from esteira.files import telling_os_errors
from esteira.local.builds.child import Child
from esteira.local.builds.environment import make_environment
from esteira.local.builds.plan import Build, Step
from esteira.local.builds.result import StepResult
from esteira.local.builds.schedule import find_ready
from esteira.local.builds.scripts import write_scripts
from esteira.local.builds.signals import calling_on_signals
from esteira.progress import Progress

COMPLETED = ("succeeded", "allowed_failure")
FAILURES = ("failed", "timed_out")
OUTCOMES = {"allowed_failure": "failed", "timed_out": "failed"}


@dataclass(frozen=True)
class Event:
    """A step ended, or (index None) someone asked to cancel the build."""

    index: Optional[int]
    status: Optional[int] = None
    fault: Optional[BaseException] = None


class Execution:
    """The state of a build that runs. Only the thread that calls `run` changes it."""

    def __init__(
        self, build: Build, folder: Path, logs: Path, state: Path, caller: Mapping[str, str], report: Progress
    ) -> None:
        self._build = build
        self._folder = folder
        self._logs = [logs / f"{file_name(step.id, index)}.log" for index, step in enumerate(build.steps)]
        self._state = state
        self._caller = caller
        self._report = report
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._running: Dict[int, Child] = {}
        self._started_s: Dict[int, float] = {}
        self._deadline_s: Dict[int, float] = {}
        self._results: Dict[int, StepResult] = {}
        self._ended_as: Dict[int, str] = {}
        self._verdict = ""
        self._fault: Optional[BaseException] = None

    def run(self) -> str:
        """Run all steps and return the build's state.

        Steps are started by this thread, which must not end before they do.
        """
        scripts = write_scripts(self._folder / "scripts", self._build.steps)
        deadline_s = time.monotonic() + self._build.timeout_s
        with calling_on_signals(self.cancel):
            try:
                while self._start_ready(scripts) or self._running:
                    self._take_event(deadline_s)
            finally:
                self._wind_up()
        if self._fault:
            raise self._fault
        return self._verdict or "succeeded"

    def cancel(self) -> None:
        """End the build from another thread: its steps are stopped in order."""
        self._events.put(Event(None))

    def results(self) -> List[StepResult]:
        """Return each step's result in the file's order."""
        return [self._results[index] for index in range(len(self._build.steps))]

    def _start_ready(self, scripts: Mapping[int, Path]) -> bool:
        """Start every step that waits for nothing; tell whether there was one."""
        if self._verdict:
            return False
        completed: Set[int] = {index for index, result in self._results.items() if result.state in COMPLETED}
        ready = find_ready([step.waits for step in self._build.steps], set(self._started_s), completed)
        for index in ready:
            self._start(index, self._build.steps[index], scripts.get(index))
        return bool(ready)

    def _start(self, index: int, step: Step, script: Optional[Path]) -> None:
        folder = self._folder / "workspace" / step.folder
        with telling_os_errors("make the step's folder", folder):
            folder.mkdir(parents=True, exist_ok=True)
        command = [str(script)] if script else list(step.command)
        secrets = {name: self._caller[name] for name in step.secrets}
        variables = make_environment(self._caller, {**step.variables, **secrets}, self._state)
        now_s = self._started_s[index] = time.monotonic()
        self._deadline_s[index] = now_s + step.timeout_s if step.timeout_s else math.inf
        self._report.started(step.id)
        child = Child(command, folder, variables, self._logs[index])
        self._running[index] = child
        child.follow(
            lambda text: self._report.line(step.id, text),
            lambda status, fault: self._events.put(Event(index, status, fault)),
        )

    def _take_event(self, deadline_s: float) -> None:
        """Wait for the next thing that happens, the end of somebody's time among them."""
        waiting = [self._deadline_s[index] for index in self._running if index not in self._ended_as]
        next_s = min([*waiting, *([] if self._verdict else [deadline_s]), math.inf])
        timeout_s = None if next_s == math.inf else max(0.0, next_s - time.monotonic())
        try:
            event = self._events.get(timeout=timeout_s)
        except Empty:
            self._end_the_late(deadline_s)
            return
        if event.index is None:
            self._stop_all("cancelled")
            return
        self._fault = self._fault or event.fault
        self._finish(event.index, event.status)

    def _end_the_late(self, deadline_s: float) -> None:
        now_s = time.monotonic()
        if now_s >= deadline_s:
            self._stop_all("timed_out")
        for index, child in self._running.items():
            if now_s >= self._deadline_s[index] and index not in self._ended_as:
                self._ended_as[index] = "timed_out"
                child.stop()

    def _finish(self, index: int, status: Optional[int]) -> None:
        """Note how a step ended, and stop the build if that fails it."""
        step = self._build.steps[index]
        del self._running[index]
        state = self._ended_as.get(index) or ("succeeded" if status == 0 else "failed")
        if state in FAILURES and step.allows(None if state == "timed_out" else status):
            state = "allowed_failure"
        wall_s = time.monotonic() - self._started_s[index]
        ended_by_us = index in self._ended_as
        self._results[index] = StepResult(step.id, state, wall_s, self._logs[index], None if ended_by_us else status)
        self._report.finished(step.id, OUTCOMES.get(state, state), self._detail(index, state, status))
        if self._fault or state in FAILURES:
            self._stop_all("failed")

    def _detail(self, index: int, state: str, status: Optional[int]) -> str:
        timed_out = self._ended_as.get(index) == "timed_out"
        how = f"took longer than {self._build.steps[index].timeout_s} s" if timed_out else f"status {status}"
        return {"failed": how, "timed_out": how, "allowed_failure": f"{how}, which the build allows"}.get(state, "")

    def _stop_all(self, verdict: str) -> None:
        """End every running step, once; the first reason is the build's state."""
        if not self._verdict:
            self._verdict = verdict
            for index, child in self._running.items():
                self._ended_as.setdefault(index, "cancelled")
                child.stop()

    def _wind_up(self) -> None:
        """Leave nothing running, whatever happened, and note the steps that were not started."""
        if self._running:
            self._stop_all("failed")
        while self._running:
            event = self._events.get()
            if event.index is not None:
                self._finish(event.index, event.status)
        for index, step in enumerate(self._build.steps):
            if index not in self._results:
                self._results[index] = StepResult(step.id, "skipped", 0.0, self._logs[index])
                self._report.finished(step.id, "skipped")


def file_name(step_id: str, index: int) -> str:
    """Return a step's id where it can name a file, else its position in the build."""
    return step_id if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", step_id) else f"step-{index}"
