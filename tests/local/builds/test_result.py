from pathlib import Path

from esteira.local.builds.result import BuildResult, StepResult


def test_only_steps_that_are_to_blame_are_explained(tmp_path: Path) -> None:
    logs = [tmp_path / f"{name}.log" for name in "abc"]
    steps = [
        StepResult("a", "succeeded", 1.0, logs[0], 0),
        StepResult("b", "timed_out", 1.0, logs[1]),
        StepResult("c", "cancelled", 1.0, logs[2]),
    ]
    assert BuildResult("b-1", "failed", steps).explain() == (
        f"build b-1: failed.\nStep b took too long. Its log: {logs[1]}"
    )


def test_a_build_that_ran_out_of_time_says_so() -> None:
    result = BuildResult("b-1", "timed_out")
    assert (result.succeeded, result.explain()) == (False, "build b-1: timed out.")
