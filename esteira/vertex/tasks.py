"""What Vertex AI tells of a run and of its tasks.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs#PipelineTaskDetail
"""

from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from esteira.google.api import Json
from esteira.local.jobs.result import Artifact

PREFIX = "PIPELINE_STATE_"
# A run's states after which nothing happens any more.
OVER = ("succeeded", "failed", "cancelled")
# A task's states in the words of a run on `local`; any other is one under way.
STATES = {
    "SUCCEEDED": "succeeded",
    # "Specifies task was skipped due to cache hit."
    "SKIPPED": "cached",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
    # Its condition does not hold, or what it waits for failed.
    "NOT_TRIGGERED": "skipped",
    "RUNNING": "running",
    "CANCEL_PENDING": "running",
    "CANCELLING": "running",
}
WAITING = "waiting"
# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
# Seconds are given with up to nine digits after the point, which Python 3.8 does not read.
SECONDS = "%Y-%m-%dT%H:%M:%S"

Outputs = Dict[str, Dict[str, List[Artifact]]]


class TaskState(NamedTuple):
    """How far a task is: waiting, running, succeeded, cached, failed, cancelled or skipped.

    `wall_s` is None before it has ended; `jobs` are the ids of the custom jobs that ran it, the last one last.
    """

    name: str
    state: str
    wall_s: Optional[float]
    error: str
    jobs: List[str]


def state_of(resource: Json) -> str:
    """Return the state of a run, such as "running"."""
    state: str = resource.get("state", f"{PREFIX}UNSPECIFIED")
    return state[len(PREFIX) :].lower() if state.startswith(PREFIX) else state.lower()


def is_over(resource: Json) -> bool:
    return state_of(resource) in OVER


def spec_tasks(resource: Json) -> Dict[str, Json]:
    """Return the tasks of the pipeline's spec, by the name that Vertex AI reports them by."""
    tasks: Dict[str, Json] = resource.get("pipelineSpec", {}).get("root", {}).get("dag", {}).get("tasks", {})
    return {task.get("taskInfo", {}).get("name", key): task for key, task in tasks.items()}


def task_details(resource: Json) -> Dict[str, Json]:
    """Return what Vertex AI tells of each task of the spec that it has come to.

    The graph as a whole is a task, too, which bears the run's name: it is left out.
    """
    known = spec_tasks(resource)
    details: List[Json] = resource.get("jobDetail", {}).get("taskDetails", [])
    return {detail["taskName"]: detail for detail in details if detail.get("taskName") in known}


def task_states(resource: Json) -> Dict[str, TaskState]:
    """Return how far each task of the spec is that Vertex AI has come to."""
    return {name: task_state(name, detail) for name, detail in task_details(resource).items()}


def task_state(name: str, detail: Mapping[str, Any]) -> TaskState:
    state = STATES.get(detail.get("state", ""), WAITING)
    wall_s = None
    if state not in (WAITING, "running") and "startTime" in detail and "endTime" in detail:
        wall_s = (parse_time(detail["endTime"]) - parse_time(detail["startTime"])).total_seconds()
    return TaskState(name, state, wall_s, describe_error(detail.get("error")), custom_jobs(detail))


def custom_jobs(detail: Mapping[str, Any]) -> List[str]:
    """Return the ids of the custom jobs that ran a task: of its driver, of attempts that failed, of the last one."""
    ran: List[str] = []
    for executor in detail.get("executorDetail", {}).values():
        for key in ("failedPreCachingCheckJobs", "preCachingCheckJob", "failedMainJobs", "failedJobs"):
            names = executor.get(key, [])
            ran += names if isinstance(names, list) else [names]
        ran += [executor[key] for key in ("mainJob", "job") if executor.get(key)]
    return [name.rpartition("/")[2] for name in dict.fromkeys(ran) if name]


def describe_error(error: Optional[Mapping[str, Any]]) -> str:
    """Return the message and the code of a google.rpc.Status, "" for none."""
    if not error:
        return ""
    code = int(error.get("code", 2))
    word = CODES[code] if 0 <= code < len(CODES) else "UNKNOWN"
    return f"{str(error.get('message', '')).strip() or 'no reason is given'} (code {code}, {word})"


def read_outputs(resource: Json) -> Outputs:
    """Return the artifacts that the tasks of a run put out, by task and key, as a run on `local` has them.

    TFX hands custom properties on as metadata by their own names (to_runtime_artifact in
    tfx/orchestration/kubeflow/v2/container/kubeflow_v2_entrypoint_utils.py), here as there.
    """
    return {
        name: {key: [read_artifact(one) for one in found.get("artifacts", [])] for key, found in outputs.items()}
        for name, outputs in ((name, detail.get("outputs", {})) for name, detail in task_details(resource).items())
    }


def read_artifact(artifact: Mapping[str, Any]) -> Artifact:
    return Artifact(
        name=artifact.get("name", ""),
        type=artifact.get("schemaTitle", ""),
        uri=artifact.get("uri", ""),
        metadata=dict(artifact.get("metadata", {})),
    )


def parse_time(text: str) -> datetime:
    """Return a time of RFC 3339 in UTC, to the microsecond."""
    seconds, _, rest = text.rstrip("Z").partition(".")
    moment = datetime.strptime(seconds, SECONDS).replace(tzinfo=timezone.utc)
    return moment.replace(microsecond=int(rest[:6].ljust(6, "0"))) if rest else moment
