from pathlib import Path

from esteira.local.jobs.failure import describe_failure


def test_a_failure_shows_the_end_of_the_log_and_its_path(tmp_path: Path) -> None:
    log = tmp_path / "Trainer.log"
    log.write_text("".join(f"line {number}\n" for number in range(30)) + "\n\n", encoding="utf-8")
    lines = describe_failure("Trainer", "executor", 1, log).splitlines()
    assert lines[0] == "task Trainer: its command left with status 1."
    assert lines[2:22] == [f"  line {number}" for number in range(10, 30)]
    assert lines[-1] == f"The whole log: {log}"


def test_a_signal_is_named(tmp_path: Path) -> None:
    log = tmp_path / "Gen.log"
    assert describe_failure("Gen", "driver", -9, log) == (
        "task Gen: its driver was ended by the signal SIGKILL (kill -9, or the system ran out of memory).\n"
        f"Its log is empty: {log}"
    )
