"""What a run leaves behind, as values."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List

from esteira.errors import JobError


@dataclass(frozen=True)
class Artifact:
    """An artifact of the metadata store. `name` is its resource name, `type` its schema's title."""

    name: str
    type: str
    uri: str
    metadata: Dict[str, Any]
    schema: Dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class TaskResult:
    """How a task ended: succeeded, cached, failed, skipped or cancelled.

    `error` says why it failed, with the end of its log, or why it was skipped.
    """

    name: str
    state: str
    wall_s: float
    log: Path
    outputs: Dict[str, List[Artifact]] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class RunResult:
    """How a run ended: succeeded, or failed if any of its tasks did."""

    run_id: str
    state: str
    tasks: Dict[str, TaskResult]

    def require_success(self) -> "RunResult":
        """Return the result itself; raise JobError with the failures if the run failed."""
        failures = [task.error for task in self.tasks.values() if task.state == "failed"]
        if self.state != "succeeded":
            raise JobError("\n\n".join(failures))
        return self
