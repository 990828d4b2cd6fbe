"""When a step may start: Cloud Build's waitFor, as pure functions over the steps' positions.

Source: "Configuring the order of build steps" of Cloud Build's documentation and Google's own runner
(cloud-build-local, build/build.go): without waitFor (or with an empty one) a step waits for every
step before it; with waitFor for those only; "-" is the start of the build and always over.
"""

from typing import Any, FrozenSet, List, Mapping, Sequence, Set

from esteira.builds.lint_steps import START

Waits = Sequence[FrozenSet[int]]


def find_waits(steps: Sequence[Mapping[str, Any]]) -> List[FrozenSet[int]]:
    """Return, for each step of a linted build, the positions of the steps that it waits for."""
    positions = {step["id"]: index for index, step in enumerate(steps) if step.get("id")}
    return [
        frozenset(positions[name] for name in step["waitFor"] if name != START)
        if step.get("waitFor")
        else frozenset(range(index))
        for index, step in enumerate(steps)
    ]


def find_ready(waits: Waits, started: Set[int], completed: Set[int]) -> List[int]:
    """Return the steps, in the file's order, that have not started and wait for nothing any more."""
    return [index for index, needed in enumerate(waits) if index not in started and needed <= completed]
