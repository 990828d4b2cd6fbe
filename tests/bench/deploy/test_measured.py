"""The parts of the time until a job arrives come to the whole."""

from typing import Any, Dict, List, Optional

from bench.deploy.measured import parts, seconds_of, waited_for
from esteira.local.cloud.server import Call


def step(name: str, start: str, end: str, wait_for: Optional[List[str]] = None) -> Dict[str, Any]:
    timing = {"startTime": f"2026-01-02T00:00:{start}Z", "endTime": f"2026-01-02T00:00:{end}Z"}
    return {"id": name, "timing": timing, "waitFor": wait_for or ["-"]}


BUILD = {
    "steps": [
        step("open", "02.000000", "03.000000"),
        step("compile", "03.000000", "09.000000", ["open"]),
        step("image", "03.000000", "05.000000", ["open"]),
        step("release", "09.000000", "10.000000", ["compile", "image"]),
        step("run", "10.000000", "30.000000", ["release"]),
        {"id": "promote", "waitFor": ["run"]},
    ]
}
BEGUN_S = seconds_of("2026-01-02T00:00:00.000000Z")


def call(method: str, after_s: float) -> Call:
    return Call(method, {}, None, b"", "POST", "/", {}, BEGUN_S + after_s)


def test_of_steps_side_by_side_the_one_that_ended_last_was_waited_for() -> None:
    assert [one["id"] for one in waited_for(BUILD, BEGUN_S + 12)] == ["open", "compile", "release", "run"]


def test_the_parts_come_to_the_whole() -> None:
    calls = [call("storage.buckets.get", 0.5), call("builds.create", 1.5), call("pipelineJobs.create", 12)]
    found = parts(BEGUN_S, calls, calls[1], BUILD, calls[2])
    assert found == {
        "until its first request": 0.5,
        "until the build is submitted": 1.0,
        "step open": 1.5,
        "step compile": 6.0,
        "step release": 1.0,
        "step run": 2.0,
    }
    assert sum(found.values()) == 12


def test_a_command_whose_first_request_is_the_build_has_no_part_before_it() -> None:
    calls = [call("builds.create", 1.5), call("pipelineJobs.create", 12)]
    assert next(iter(parts(BEGUN_S, calls, calls[0], BUILD, calls[1]))) == "until the build is submitted"
