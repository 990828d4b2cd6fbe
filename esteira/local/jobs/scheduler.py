"""Running the tasks of a job in the order of its graph, independent ones side by side."""

import time
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Set, Tuple

from esteira.errors import JobError
from esteira.local.jobs.cache import import_identity
from esteira.local.jobs.conditions import compile_condition
from esteira.local.jobs.execution import Execution, Outputs
from esteira.local.jobs.failure import describe_failure, describe_log, describe_server_end
from esteira.local.jobs.importer import import_artifact, resolve_uri
from esteira.local.jobs.invocation import Invocation
from esteira.local.jobs.launcher import Ended, Launcher
from esteira.local.jobs.resolver import resolve_artifacts
from esteira.local.jobs.result import Artifact, TaskResult
from esteira.local.jobs.spec import (
    Constant,
    Container,
    Importer,
    Job,
    Resolver,
    RuntimeParameter,
    Scalar,
    Task,
)
from esteira.local.jobs.store import Store
from esteira.progress import Progress

DONE = ("succeeded", "cached")


class Scheduler:
    """Runs one job. `results` holds how each task ended, as far as it did."""

    def __init__(
        self,
        job: Job,
        graph: Mapping[str, Set[str]],
        *,
        run_id: str,
        logs: Path,
        store: Store,
        launcher: Launcher,
        workers: int,
        use_cache: bool,
        report: Progress,
    ) -> None:
        self.results: Dict[str, TaskResult] = {}
        self._job = job
        self._graph = graph
        self._run_id = run_id
        self._logs = logs
        self._store = store
        self._launcher = launcher
        self._workers = workers
        self._use_cache = use_cache
        self._report = report
        self._running: Dict[str, Execution] = {}
        self._output_parameters: Dict[str, Dict[str, Scalar]] = {}
        self._identities: Dict[str, str] = {}

    def run(self) -> None:
        """Run until each task has a result."""
        while True:
            while self._begin_ready():
                continue
            if not self._running:
                return
            ended = self._launcher.wait()
            self._go_on(self._running[ended.name], ended)

    def cancel(self) -> None:
        """Make tasks under way cancelled, once their processes have ended, and remove what they wrote."""
        for name, execution in list(self._running.items()):
            execution.abandon("CANCELLED")
            self._end(name, "cancelled", execution.started_s)
        for name in self._job.tasks:
            if name not in self.results:
                self.results[name] = TaskResult(name, "cancelled", 0.0, self._log(name))

    def _begin_ready(self) -> bool:
        """Begin each task that waits for nothing more; return whether there was one."""
        begun = False
        for name, waits_for in self._graph.items():
            if name in self.results or name in self._running or not waits_for.issubset(self.results):
                continue
            task = self._job.tasks[name]
            if isinstance(task.executor, Container) and len(self._running) >= self._workers:
                continue
            self._begin(task, waits_for)
            begun = True
        return begun

    def _begin(self, task: Task, waits_for: Set[str]) -> None:
        missing = sorted(name for name in waits_for if self.results[name].state not in DONE)
        started_s = time.monotonic()
        if missing:
            states = ", ".join(f"{name} {self.results[name].state}" for name in missing)
            self._end(task.name, "skipped", started_s, error=f"{states}")
            return
        self._report.started(task.name)
        try:
            self._execute(task, started_s)
        except JobError as error:
            self._fail(task.name, str(error), started_s)

    def _execute(self, task: Task, started_s: float) -> None:
        artifacts, parameters = self._artifacts(task), self._parameters(task)
        if task.condition and not compile_condition(task.condition, task.name)(artifacts, parameters):
            self._end(task.name, "skipped", started_s, error=f"its condition is false: {task.condition}")
            return
        execution, folder = self._store.start_execution(self._run_id, task.name, self._job.root, parameters)
        invocation = Invocation(
            task=task.name,
            pipeline=self._job.pipeline,
            root=self._job.root,
            run_id=self._run_id,
            folder=folder,
            parameters=parameters,
            artifacts=artifacts,
            output_parameters=tuple(task.output_parameters),
        )
        if isinstance(task.executor, Container):
            self._run_container(task, task.executor, execution, invocation)
        else:
            self._run_inside(task, execution, invocation, started_s)

    def _run_container(self, task: Task, container: Container, execution_id: int, invocation: Invocation) -> None:
        if container.resources:
            self._report.line(task.name, f"asks for {container.resources}; it gets what this machine has")
        execution = Execution(
            id=execution_id,
            task=task,
            container=container,
            invocation=invocation,
            store=self._store,
            launcher=self._launcher,
            log=self._log(task.name),
            contexts=self._contexts,
            identities=self._identities,
            use_cache=self._use_cache and task.enable_cache,
        )
        self._running[task.name] = execution
        execution.begin()
        self._check_end(execution)

    def _run_inside(self, task: Task, execution: int, invocation: Invocation, started_s: float) -> None:
        """Run an importer or a resolver: they need no process."""
        try:
            if isinstance(task.executor, Importer):
                state, outputs = self._import(task, task.executor, execution, invocation)
            else:
                assert isinstance(task.executor, Resolver)
                outputs = resolve_artifacts(self._store, task, task.executor, invocation)
                self._store.reuse_execution(execution, 0, invocation.artifacts, outputs, contexts=[])
                state = "succeeded"
        except JobError:
            self._store.end_execution(execution, "FAILED")
            raise
        lines = [f"{key}: {artifact.name} at {artifact.uri}\n" for key, found in outputs.items() for artifact in found]
        self._log(task.name).write_text("".join(lines) or "Nothing was found.\n", encoding="utf-8")
        self._end(task.name, state, started_s, outputs=outputs, detail="" if lines else "nothing was found")

    def _import(self, task: Task, importer: Importer, execution: int, invocation: Invocation) -> Tuple[str, Outputs]:
        uri = resolve_uri(task, importer, invocation.parameters)
        outputs, was_there = import_artifact(self._store, execution, task, importer, uri)
        if was_there:
            self._store.reuse_execution(execution, 0, {}, outputs, contexts=self._contexts)
        else:
            self._store.complete_execution(execution, {}, outputs, contexts=self._contexts)
        for artifact in outputs.values():
            self._identities[artifact[0].name] = import_identity(artifact[0])
        return "cached" if was_there else "succeeded", outputs

    def _go_on(self, execution: Execution, ended: Ended) -> None:
        name = execution.task.name
        if ended.with_server:
            error = describe_server_end(name, ended.status, self._launcher.log)
            self._fail(name, error, execution.started_s)
            return
        if ended.status:
            error = describe_failure(name, execution.phase, ended.status, execution.log, self._launcher.engine)
            self._fail(name, error, execution.started_s)
            return
        try:
            execution.ended()
            self._check_end(execution)
        except JobError as error:
            self._fail(name, f"{error}\n{describe_log(execution.log)}", execution.started_s)

    def _check_end(self, execution: Execution) -> None:
        if execution.state in DONE:
            name = execution.task.name
            self._output_parameters[name] = execution.output_parameters
            del self._running[name]
            self._end(name, execution.state, execution.started_s, outputs=execution.outputs)

    def _fail(self, name: str, error: str, started_s: float) -> None:
        execution = self._running.pop(name, None)
        if execution is not None:
            execution.abandon("FAILED")
        self._end(name, "failed", started_s, error=error)

    def _end(
        self,
        name: str,
        state: str,
        started_s: float,
        *,
        outputs: Optional[Outputs] = None,
        error: str = "",
        detail: str = "",
    ) -> None:
        wall_s = time.monotonic() - started_s
        self.results[name] = TaskResult(name, state, wall_s, self._log(name), dict(outputs or {}), error)
        self._running.pop(name, None)
        self._report.finished(name, state, detail or error)

    def _artifacts(self, task: Task) -> Dict[str, List[Artifact]]:
        found = {key: self.results[source.task].outputs.get(source.key) for key, source in task.artifacts.items()}
        return {key: artifacts for key, artifacts in found.items() if artifacts}

    def _parameters(self, task: Task) -> Dict[str, Scalar]:
        values: Dict[str, Scalar] = {}
        for key, source in task.parameters.items():
            if isinstance(source, Constant):
                values[key] = source.value
            elif isinstance(source, RuntimeParameter):
                values[key] = self._job.parameters[source.name]
            else:
                values[key] = self._output_parameters[source.task][source.key]
        return values

    @property
    def _contexts(self) -> List[str]:
        return [self._job.pipeline, self._run_id]

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"
