"""A partial deploy of ours, from the command to the arrival of its job, and the parts of that time."""

import time
from datetime import datetime
from typing import Any, Dict, List

from bench.deploy.scene import Scene, children_cpu_s
from esteira.google.api import Json
from esteira.local.cloud.server import Call

SUBMIT = "cloudbuild.projects.locations.builds.create"
RUN = "aiplatform.projects.locations.pipelineJobs.create"
COMMAND = ("make", "deploy-partial", "ENV=dev", "WAIT=0")
# The steps of the build before its job is posted, in their order.
STEPS = ("open",)


def measure_ours(scene: Scene, number: str) -> Dict[str, Any]:
    """Change a module, deploy it, and return the seconds until its job arrived, in parts; `requests` until then."""
    scene.change(f"ours {number}")
    project = scene.project
    before, cpu_s, begun_s = len(project.stand_in.calls), children_cpu_s(), time.time()
    scene.run(*COMMAND, log="partial")
    returned_s = time.time()
    project.builds.wait()
    calls = project.stand_in.calls[before:]
    (posted,) = [call for call in calls if call.method == RUN]
    (submitted,) = [call for call in calls if call.method == SUBMIT]
    build = list(project.builds.known.values())[-1]
    return {
        "total_s": posted.came_s - begun_s,
        "returned_s": returned_s - begun_s,
        # With what the build does after its job is posted: little, as that job ends at once.
        "cpu_s": children_cpu_s() - cpu_s,
        "parts_s": parts(begun_s, calls, submitted, build, posted),
        "requests": sum(call.came_s <= posted.came_s for call in calls),
    }


def parts(begun_s: float, calls: List[Call], submitted: Call, build: Json, posted: Call) -> Dict[str, float]:
    """Return how long each part took, by name, in their order: they come to the whole."""
    ends = {"command begins": min(call.came_s for call in calls), "checks, plan, submission": submitted.came_s}
    timing = {step["id"]: step.get("timing", {}) for step in build["steps"]}
    ends.update((f"step {name}", seconds_of(timing[name]["endTime"])) for name in STEPS)
    ends["step run"] = posted.came_s
    moments = [begun_s, *ends.values()]
    return {name: end - begin for name, begin, end in zip(ends, moments, moments[1:])}


def seconds_of(moment: str) -> float:
    """Return a time such as 2024-05-01T10:20:30.123456Z in seconds since the epoch."""
    return datetime.strptime(moment[:-1] + "+0000", "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
