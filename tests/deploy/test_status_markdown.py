from typing import Any, Dict, List

from esteira.deploy.record import Record
from esteira.deploy.remote_run import RunStatus
from esteira.deploy.status import Status, show_status
from esteira.release.manifest import Outcome, Release

AT = "2026-11-22T10:00:01Z"
RECORD: Dict[str, Any] = {
    **{"what": "make deploy-full, build b-1", "started": AT, "pid": 0, "process_start": 0, "machine": ""},
    "finished": "2026-11-22T10:20:00Z",
}
RUN = {"run": "r-1", "state": "failed", "link": "https://run.example/r-1", "running": [], "failed": {}, "error": ""}
EVALUATION = {
    "blessed": False,
    "metrics": {"accuracy": 0.61, "example_count": 5874.0, "macro_f1": 0.6},
    "baseline_metrics": {"accuracy": 0.68, "example_count": 5874.0, "macro_f1": 0.64},
    "thresholds": [
        {"metric": "accuracy", "kind": "value", "bound": 0.65, "value": 0.61, "baseline": 0.68, "passed": False},
        {"metric": "macro_f1", "kind": "change", "bound": -0.05, "value": 0.6, "baseline": 0.64, "passed": True},
    ],
}


def release(id: str, **fields: Any) -> Release:
    made = {"id": id * 12, "pipeline": "s", "commit": id * 40, "dirty": False, "kind": "full", "parts": {}, "at": AT}
    return Release(**{**made, **fields})


def outcome(**fields: Any) -> Outcome:
    missed = {"run": "r-1", "at": AT, "blessed": False, "error": "missed", "evaluation": EVALUATION}
    return Outcome(**{**missed, **fields})


def lines(state: str, **fields: Any) -> List[str]:
    nothing = {"environment": "dev", "lease": None, "record": None, "current": None}
    return show_status(Status(**{**nothing, "state": state, **fields}), "markdown").splitlines()


def test_before_the_first_deploy() -> None:
    assert lines("none") == [
        "### Nothing is deployed yet",
        "",
        "| Environment | `dev` |",
        "| --- | --- |",
        "",
        "More: `make status ENV=dev`, `make logs ENV=dev`, `make releases ENV=dev`",
    ]


def test_a_model_that_missed_the_gate_is_told_with_its_figures_and_with_what_is_still_served() -> None:
    record = Record(**RECORD, state="failed", error="build b-1: failure.\nStep run left with status 10.", exit_code=10)
    told = lines(
        "not blessed",
        record=record,
        made=release("b", outcome=outcome()),
        current=release("a", outcome=outcome(evaluation={})),
        run=RunStatus(**RUN),
        build_page="https://build.example/b-1?project=demo",
        endpoint_page="https://endpoint.example/e",
    )
    assert told == [
        "### Not blessed: the model missed the gate, and is not served",
        "",
        "| Environment | `dev` |",
        "| --- | --- |",
        "| Last deploy | make deploy-full, build b-1, failed at 2026-11-22 10:20:00 UTC |",
        "| Its release | release `bbbbbbbbbbbb` (full) of commit `bbbbbbb` |",
        "| Its build | [steps and log in Cloud Build](<https://build.example/b-1?project=demo>) |",
        "| Its run | [pipeline run in Vertex AI](<https://run.example/r-1>), failed |",
        "| Served | release `aaaaaaaaaaaa` (full) of commit `aaaaaaa` |",
        "| Endpoint | [endpoint in Vertex AI](<https://endpoint.example/e>) |",
        "",
        "```text",
        "build b-1: failure.",
        "Step run left with status 10.",
        "```",
        "",
        "| Metric | Value | Threshold | Baseline |  |",
        "| --- | ---: | ---: | ---: | --- |",
        "| `accuracy` | 0.610 | ≥ 0.650 | 0.680 | ✗ |",
        "| `example_count` | 5,874 |  |  |  |",
        "| `macro_f1` | 0.600 | Δ ≥ -0.050 | 0.640 | ✓ |",
        "",
        "More: `make status ENV=dev`, `make logs ENV=dev`, `make releases ENV=dev`",
    ]


def test_what_is_served_is_told_once_with_its_figures() -> None:
    served = release("a", outcome=outcome(blessed=True, error=""))
    told = lines("served", record=Record(**RECORD, state="succeeded"), made=served, current=served)
    assert told[0] == "### Served"
    assert [line.split(" | ")[0] for line in told if line.startswith("| ")] == [
        *("| Environment", "| ---", "| Last deploy", "| Served"),
        *("| Metric", "| ---", "| `accuracy`", "| `example_count`", "| `macro_f1`"),
    ]


def test_a_run_that_failed_is_told_with_its_tasks_whatever_they_say() -> None:
    record = Record(**RECORD, state="failed", error="Trainer: no space left")
    run = RunStatus(**{**RUN, "failed": {"Trainer": "exit 1\n```\n<script>"}})
    told = "\n".join(lines("failed", record=record, run=run))
    assert "````text\nTrainer: no space left\nTrainer: exit 1\n```\n<script>\n````\n" in told


def test_a_deploy_that_was_not_even_submitted_comes_first() -> None:
    refused = Record(**{**RECORD, "what": "make deploy-full"}, state="failed", error="bucket demo: is missing")
    told = lines("served", record=Record(**RECORD, state="succeeded"), current=release("a"), refused=refused)
    assert told[:5] == [
        "### Not deployed: nothing was submitted, and what was served before still is",
        "",
        "```text",
        "bucket demo: is missing",
        "```",
    ]
    assert "| Last deploy before it | make deploy-full, build b-1, succeeded at 2026-11-22 10:20:00 UTC |" in told


def test_a_deploy_that_was_killed_is_told_so() -> None:
    told = lines("interrupted", record=Record(**{**RECORD, "finished": "", "pid": -1}, state="interrupted"))
    assert told[4] == "| Last deploy | make deploy-full, build b-1, interrupted at 2026-11-22 10:00:01 UTC |"


def test_on_this_machine_other_commands_tell_more() -> None:
    assert lines("none", environment="local")[-1] == "More: `make status`, `make releases`"
