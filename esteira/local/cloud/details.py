"""A run on this machine told as Vertex AI tells one: the details of its tasks."""

from typing import Any, List, Mapping, Optional, Sequence

from esteira.google.api import Json
from esteira.local.cloud.numbers import PROJECT_NUMBER
from esteira.local.jobs.result import Artifact, TaskResult

LOCATION = f"projects/{PROJECT_NUMBER}/locations/europe-west1"
STORE = f"{LOCATION}/metadataStores/default"
ROOT_ID = "1000"
STATES = {
    "running": "RUNNING",
    "succeeded": "SUCCEEDED",
    "cached": "SKIPPED",
    "failed": "FAILED",
    "skipped": "NOT_TRIGGERED",
    "cancelled": "CANCELLED",
}
EXIT_MESSAGE = "The replica workerpool0-0 exited with a non-zero status."


def root_detail(run: str, state: str, created: str) -> Json:
    """Return the task that a run's graph as a whole is on Vertex AI."""
    return {"taskId": ROOT_ID, "taskName": run, "createTime": created, "startTime": created, "state": state}


def task_detail(number: int, name: str, state: str, started: str, ended: str = "", *, container: bool) -> Json:
    """Return the details of a task whose state is given in the words of a run on this machine.

    `number` is its place in the pipeline's spec. A custom job runs it if it is a container.
    """
    detail: Json = {
        "taskId": str(int(ROOT_ID) + number),
        "parentTaskId": ROOT_ID,
        "taskName": name,
        "createTime": started,
        "startTime": started,
        "state": STATES[state],
    }
    if container:
        detail["executorDetail"] = {"containerDetail": {"mainJob": f"{LOCATION}/customJobs/{custom_job(number)}"}}
    if ended:
        detail["endTime"] = ended
    if state == "failed":
        detail["error"] = {"code": 9, "message": EXIT_MESSAGE}
    return detail


def custom_job(number: int) -> str:
    """Return the id of the custom job that ran the task of this number."""
    return str(5000 + number)


def with_outputs(detail: Json, result: Optional[TaskResult], places: Mapping[str, str]) -> Json:
    """Return the details of a task with what it put out; `places` are the URIs of folders here."""
    if result is None or not result.outputs:
        return detail
    outputs = {key: {"artifacts": artifacts(found, places)} for key, found in result.outputs.items()}
    return {**detail, "outputs": outputs}


def artifacts(found: Sequence[Artifact], places: Mapping[str, str]) -> List[Json]:
    return [
        {
            "name": f"{STORE}/artifacts/{artifact.name.rpartition('/')[2]}",
            "uri": in_bucket(artifact.uri, places),
            "schemaTitle": artifact.type,
            "state": "LIVE",
            "metadata": in_bucket(artifact.metadata, places),
        }
        for artifact in found
    ]


def in_bucket(value: Any, places: Mapping[str, str]) -> Any:
    """Return a JSON value in whose texts the folders here are the URIs that they stand for."""
    if isinstance(value, dict):
        return {key: in_bucket(inner, places) for key, inner in value.items()}
    if isinstance(value, str):
        for folder, uri in places.items():
            value = value.replace(folder, uri)
    return value
