"""One execution of a container task: the driver, the cache, the command, its outputs."""

import json
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

from esteira.errors import JobError
from esteira.local.jobs.cache import build_driver_key, build_key, find_cached
from esteira.local.jobs.invocation import (
    VALUE_TYPES,
    Answer,
    Invocation,
    parse_answer,
    read_answer,
    read_output_parameters,
)
from esteira.local.jobs.launcher import Launcher
from esteira.local.jobs.placeholders import AbsentInputError, resolve_text
from esteira.local.jobs.preload import can_fork
from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import Container, Scalar, Task
from esteira.local.jobs.store import Store

Outputs = Dict[str, List[Artifact]]


@dataclass
class Execution:
    """A container task under way. `ended` takes over when a command that it started has ended.

    `state` becomes succeeded or cached; until then a command of it runs.
    """

    id: int
    task: Task
    container: Container
    invocation: Invocation
    store: Store
    launcher: Launcher
    log: Path
    contexts: Sequence[str]
    identities: Mapping[str, str]
    use_cache: bool
    started_s: float = field(default_factory=time.monotonic)
    state: str = "running"
    phase: str = "driver"
    cache_key: str = ""
    driver_key: str = ""
    driver_metadata: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    outputs: Outputs = field(default_factory=dict)
    output_parameters: Dict[str, Scalar] = field(default_factory=dict)

    def begin(self) -> None:
        if not self.container.driver:
            self.run_or_reuse()
            return
        self.driver_key = build_driver_key(self.task, self.invocation)
        answer = self.store.find_driver_answer(self.driver_key) if self.use_cache and self.driver_key else None
        if answer is not None:
            self.take_driver_answer(parse_answer(answer))
            self.run_or_reuse()
        else:
            self.add_outputs()
            self.launch(self.container.driver)

    def ended(self) -> None:
        """Go on after a command that ended well. Raises JobError if its output cannot be read."""
        if self.phase == "driver":
            answer = read_answer(self.invocation.output_file)
            self.keep_driver_answer()
            self.take_driver_answer(answer)
            self.run_or_reuse()
        else:
            self.take_answer()

    def keep_driver_answer(self) -> None:
        """Keep what the driver said for the same input; the executor finds it in its parameters."""
        text = self.invocation.output_file.read_text(encoding="utf-8")
        if self.driver_key:
            self.store.keep_driver_answer(self.driver_key, json.loads(text))
        self.invocation.output_file.unlink()

    def take_driver_answer(self, answer: Answer) -> None:
        self.invocation.parameters.update(answer.parameters)
        self.driver_metadata = answer.metadata

    def run_or_reuse(self) -> None:
        self.phase = "executor"
        self.cache_key = build_key(self.task, self.invocation, self.identities)
        hit = find_cached(self.store, self.cache_key) if self.use_cache else None
        if hit is None:
            self.add_outputs()
            self.launch(self.container.command)
            return
        source, self.outputs, self.output_parameters = hit
        self.store.reuse_execution(self.id, source, self.invocation.artifacts, self.outputs, contexts=self.contexts)
        shutil.rmtree(self.invocation.folder, ignore_errors=True)
        self.log.write_text(f"Cached: the outputs of execution {source} are used again.\n", encoding="utf-8")
        self.state = "cached"

    def add_outputs(self) -> None:
        """Give each output a name and a place, and what the driver said of it."""
        for key, output in self.task.outputs.items():
            if key not in self.invocation.outputs:
                uri = str(self.invocation.folder / key)
                self.invocation.outputs[key] = self.store.add_output(self.id, key, output.type, uri, output.metadata)
            named = self.invocation.outputs[key]
            metadata = {**named.metadata, **self.driver_metadata.get(key, {})}
            self.invocation.outputs[key] = replace(named, metadata=metadata)
        self.invocation.create_folders()

    def launch(self, command: Sequence[str]) -> None:
        """Start a command. Raises JobError if it asks for an input that was left out."""
        try:
            resolved = [resolve_text(text, self.invocation) for text in command]
            env = {name: resolve_text(text, self.invocation) for name, text in self.container.env.items()}
        except AbsentInputError as error:
            raise JobError(
                f"task {self.task.name}: its command names the input {error}, which nothing was found for.\n"
                "Expected a resolver that finds one; run the task that puts one out first."
            ) from None
        self.launcher.start(self.task.name, resolved, env, self.log)

    def take_answer(self) -> None:
        """Make the execution complete, and its outputs visible."""
        answer = self.read_answer()
        for key, output in self.invocation.outputs.items():
            uri = answer.uris.get(key, output.uri)
            metadata = {**output.metadata, **answer.metadata.get(key, {})}
            self.outputs[key] = [replace(output, uri=uri, metadata=metadata)]
            if output.type in VALUE_TYPES and not Path(uri).exists():
                raise JobError(f"task {self.task.name}: ended well, but wrote no value for its output {key} to {uri}.")
        self.output_parameters = read_output_parameters(self.invocation, answer, self.task.output_parameters)
        shutil.rmtree(self.invocation.folder / ".temp", ignore_errors=True)
        self.store.complete_execution(
            self.id,
            self.invocation.artifacts,
            self.outputs,
            contexts=self.contexts,
            cache_key=self.cache_key,
            output_parameters=self.output_parameters,
        )
        self.state = "succeeded"

    def read_answer(self) -> Answer:
        """Return what the command wrote; any but TFX's may write nothing."""
        if can_fork(self.container.command) or self.invocation.output_file.exists():
            return read_answer(self.invocation.output_file)
        return parse_answer({})

    def abandon(self, state: str) -> None:
        """End the execution as FAILED or CANCELLED. What a cancelled one has written is removed."""
        self.store.end_execution(self.id, state)
        if state == "CANCELLED":
            shutil.rmtree(self.invocation.folder, ignore_errors=True)
