"""How a build that ran on this machine ended."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Optional


@dataclass(frozen=True)
class StepResult:
    """A step's end: succeeded, failed, allowed_failure, timed_out, cancelled or skipped.

    `status` is the exit status, None where the step did not run to its end by itself.
    """

    id: str
    state: str
    wall_s: float
    log: Path
    status: Optional[int] = None


@dataclass(frozen=True)
class BuildResult:
    """A build's end: succeeded, failed, cancelled or timed_out.

    `workspace` is where the source and what the steps made lie, None once it is removed.
    """

    build_id: str
    state: str
    steps: List[StepResult] = field(default_factory=list)
    workspace: Optional[Path] = None

    @property
    def succeeded(self) -> bool:
        return self.state == "succeeded"

    def explain(self) -> str:
        """Return why the build did not succeed: the steps to blame, whose logs were streamed, and where they lie."""
        blamed = [step for step in self.steps if step.state in ("failed", "timed_out")]
        lines = [f"build {self.build_id}: {self.state.replace('_', ' ')}."]
        for step in blamed:
            how = "took too long" if step.state == "timed_out" else f"left with status {step.status}"
            lines.append(f"Step {step.id} {how}. Its log: {step.log}")
        if self.workspace:
            lines.append(f"Its workspace is kept for a look: {self.workspace}")
        return "\n".join(lines)
