from pathlib import Path

from esteira.local.builds.result import BuildResult, StepResult, tail


def test_the_tail_of_a_long_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"".join(b"%d \xff\n" % number for number in range(100_000)))
    assert tail(log) == [f"{number} \ufffd" for number in range(99_980, 100_000)]


def test_a_log_that_is_not_there_has_no_tail(tmp_path: Path) -> None:
    assert tail(tmp_path / "none.log") == []


def test_only_steps_that_are_to_blame_are_explained(tmp_path: Path) -> None:
    logs = [tmp_path / f"{name}.log" for name in "abc"]
    logs[1].write_text("late words\n")
    steps = [
        StepResult("a", "succeeded", 1.0, logs[0], 0),
        StepResult("b", "timed_out", 1.0, logs[1]),
        StepResult("c", "cancelled", 1.0, logs[2]),
    ]
    assert BuildResult("b-1", "failed", steps).explain() == (
        f"build b-1: failed.\nStep b took too long. The end of {logs[1]}:\n  late words"
    )


def test_a_build_that_ran_out_of_time_says_so() -> None:
    result = BuildResult("b-1", "timed_out")
    assert (result.succeeded, result.explain()) == (False, "build b-1: timed out.")
