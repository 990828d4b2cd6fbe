"""One deploy, from the command to the arrival of its job at the stand-in of Vertex AI, and the parts of that time."""

import time
from datetime import datetime
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from bench.deploy.scene import Scene, children_cpu_s
from esteira.google.api import Json
from esteira.local.cloud.server import Call, StandIn

SUBMITTED = "cloudbuild.projects.builds.create", "cloudbuild.projects.locations.builds.create"
POSTED = "aiplatform.projects.locations.pipelineJobs.create"


def measure(scene: Scene, command: Sequence[str], *, log: str, also: Sequence[StandIn] = ()) -> Dict[str, Any]:
    """Run a command that submits a build, and return the seconds until the build's job arrived, in parts.

    `also` are further stand-ins that the build talks to, for the requests until then.
    """
    project, stand_ins = scene.project, [scene.project.stand_in, *also]
    before, cpu_s, begun_s = [len(each.calls) for each in stand_ins], children_cpu_s(), time.time()
    scene.run(*command, log=log)
    returned_s = time.time()
    project.builds.wait()
    calls = [call for each, number in zip(stand_ins, before) for call in each.calls[number:]]
    posted, submitted = only(calls, POSTED, scene=scene), only(calls, *SUBMITTED, scene=scene)
    build = list(project.builds.known.values())[-1]
    return {
        "total_s": posted.came_s - begun_s,
        "returned_s": returned_s - begun_s,
        # With what the build does after its job is posted: little, as that job ends at once.
        "cpu_s": children_cpu_s() - cpu_s,
        "parts_s": parts(begun_s, calls, submitted, build, posted),
        "steps_s": {step["id"]: seconds for step, seconds in finished(build)},
        "requests": sum(call.came_s <= posted.came_s for call in calls),
    }


def only(calls: List[Call], *methods: str, scene: Scene) -> Call:
    """Return the one call of these methods; SystemExit, with what the build wrote, if there is none."""
    found = [call for call in calls if call.method in methods]
    if len(found) != 1:
        raise SystemExit(f"{len(found)} calls of {' or '.join(methods)}; expected one.\n{scene.build_log()}")
    return found[0]


def parts(begun_s: float, calls: List[Call], submitted: Call, build: Json, posted: Call) -> Dict[str, float]:
    """Return how long each part took that the job waited for, by name, in their order: they come to the whole."""
    ends = {}
    first_s = min(call.came_s for call in calls)
    if first_s < submitted.came_s:
        ends["until its first request"] = first_s
    ends["until the build is submitted"] = submitted.came_s
    *waited, last = waited_for(build, posted.came_s)
    ends.update((f"step {step['id']}", end_s(step)) for step in waited)
    ends[f"step {last['id']}"] = posted.came_s
    moments = [begun_s, *ends.values()]
    return {name: end - begin for name, begin, end in zip(ends, moments, moments[1:])}


def waited_for(build: Json, posted_s: float) -> List[Json]:
    """Return the steps that led to the job, in their order: the one that posts it, and of those that each waits for
    the one that ended last."""
    steps = {step["id"]: step for step in build["steps"]}
    begun = [step for step in steps.values() if "timing" in step and start_s(step) <= posted_s]
    found = [max(begun, key=start_s)]
    while True:
        before = [steps[name] for name in found[0].get("waitFor", []) if name in steps]
        if not before:
            return found
        found.insert(0, max(before, key=end_s))


def finished(build: Json) -> Iterator[Tuple[Json, float]]:
    """Yield the steps that came to an end, with their seconds."""
    for step in build["steps"]:
        if "endTime" in step.get("timing", {}):
            yield step, end_s(step) - start_s(step)


def start_s(step: Json) -> float:
    return seconds_of(step["timing"]["startTime"])


def end_s(step: Json) -> float:
    return seconds_of(step["timing"]["endTime"])


def seconds_of(moment: str) -> float:
    """Return a time such as 2024-05-01T10:20:30.123456Z in seconds since the epoch."""
    return datetime.strptime(moment[:-1] + "+0000", "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
