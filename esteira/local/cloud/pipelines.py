"""The stand-in of Vertex AI's pipeline jobs. What runs them is given: a script in tests, a real run in a rehearsal.

A job goes on when it is looked at: it is pending when it was made, then runs for as long as what runs it has
more to tell, and ends as its tasks did.
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs
"""

import re
import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

from esteira.errors import EsteiraError
from esteira.google.api import Json
from esteira.local.cloud.clock import Clock
from esteira.local.cloud.filters import matches
from esteira.local.cloud.numbers import numbered
from esteira.local.cloud.refusal import Refused, missing, there_already
from esteira.local.cloud.server import Call, Handler

JOB_ID = re.compile(r"[a-z][-a-z0-9]{0,127}\Z")
LABEL_KEY = re.compile(r"[a-z][-_a-z0-9]{0,62}\Z")
LABEL_VALUE = re.compile(r"[-_a-z0-9]{0,63}\Z")
ENDED = ("PIPELINE_STATE_SUCCEEDED", "PIPELINE_STATE_FAILED", "PIPELINE_STATE_CANCELLED")

Details = List[Json]
# What runs a job: given its resource, it yields the details of its tasks again and again until they are done.
Execute = Callable[[Json], Iterator[Details]]


@dataclass
class Pipelines:
    """The pipeline jobs of a region; thread-safe."""

    execute: Execute
    clock: Clock = field(default_factory=Clock)
    jobs: Dict[str, Json] = field(default_factory=dict)
    _running: Dict[str, Iterator[Details]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def create(self, call: Call) -> Json:
        job_id = call.parameters.get("pipelineJobId", "")
        with self._lock:
            return self.add(call.parameters["parent"], job_id, call.body or {})

    def add(self, parent: str, job_id: str, body: Json, **more: Any) -> Json:
        """Make a job and return it; Refused for what Vertex AI does not take."""
        job_id = job_id or f"{body['pipelineSpec']['pipelineInfo']['name']}-{len(self.jobs) + 1}"
        check_job(job_id, body)
        name = f"{numbered(parent)}/pipelineJobs/{job_id}"
        if name in self.jobs:
            raise there_already(name)
        moment = self.clock.now()
        made = {**body, **more, "name": name, "createTime": moment, "updateTime": moment}
        self.jobs[name] = {**made, "state": "PIPELINE_STATE_PENDING"}
        self._running[name] = self.execute(self.jobs[name])
        return self.jobs[name]

    def get(self, call: Call) -> Json:
        with self._lock:
            job = self.known(call)
            if job["state"] not in ENDED:
                self.advance(job)
            return job

    def list(self, call: Call) -> Json:
        with self._lock:
            found = [job for job in self.jobs.values() if matches(call.parameters.get("filter", ""), job)]
        if "desc" in call.parameters.get("orderBy", ""):
            found.reverse()
        # "Not available in the list view."
        return {"pipelineJobs": [{key: value for key, value in job.items() if key != "jobDetail"} for job in found]}

    def cancel(self, call: Call) -> Json:
        with self._lock:
            job = self.known(call)
            if job["state"] in ENDED:
                raise Refused(400, f"The PipelineJob {job['name']} is over.", word="FAILED_PRECONDITION")
            job["state"] = "PIPELINE_STATE_CANCELLING"
        return {}

    def known(self, call: Call) -> Json:
        name = numbered(call.parameters["name"])
        if name not in self.jobs:
            raise missing(f"PipelineJob {call.parameters['name']}")
        return self.jobs[name]

    def advance(self, job: Json) -> None:
        """Let a job go on by one step."""
        running = self._running[job["name"]]
        job["updateTime"] = self.clock.now()
        if job["state"] == "PIPELINE_STATE_CANCELLING":
            close = getattr(running, "close", None)
            if close:
                close()
            self.end(job, "CANCELLED", {"code": 1, "message": "The pipeline was cancelled."})
            return
        job.setdefault("startTime", self.clock.now())
        job["state"] = "PIPELINE_STATE_RUNNING"
        try:
            job["jobDetail"] = {"taskDetails": next(running)}
        except StopIteration:
            self.end(job, *verdict_of(job.get("jobDetail", {}).get("taskDetails", [])))
        except EsteiraError as error:
            self.end(job, "FAILED", {"code": 9, "message": str(error)})

    def end(self, job: Json, state: str, error: Json) -> None:
        job["state"] = f"PIPELINE_STATE_{state}"
        job["endTime"] = self.clock.now()
        if error:
            job["error"] = error
        for detail in job.get("jobDetail", {}).get("taskDetails", []):
            if detail["state"] in ("PENDING", "RUNNING"):
                detail["state"] = state


def handlers(pipelines: Pipelines) -> Dict[str, Handler]:
    prefix = "aiplatform.projects.locations.pipelineJobs"
    return {
        f"{prefix}.create": pipelines.create,
        f"{prefix}.get": pipelines.get,
        f"{prefix}.list": pipelines.list,
        f"{prefix}.cancel": pipelines.cancel,
    }


def verdict_of(details: Details) -> Tuple[str, Json]:
    """Return the state that a job ends in, and its error, in Vertex AI's words."""
    failed = [detail["taskName"] for detail in details if detail["state"] == "FAILED"]
    if not failed:
        return "SUCCEEDED", {}
    message = f"The DAG failed because some tasks failed. The failed tasks are: [{', '.join(failed)}]."
    return "FAILED", {"code": 9, "message": message}


def check_job(job_id: str, body: Mapping[str, Any]) -> None:
    """Refuse what no description says, but Vertex AI does not take."""
    if not JOB_ID.match(job_id):
        raise Refused(400, f"Invalid pipelineJobId: {job_id}")
    for key, value in body.get("labels", {}).items():
        if not LABEL_KEY.match(key) or not LABEL_VALUE.match(value):
            raise Refused(400, f"Invalid label: {key}: {value}")
    spec, config = body.get("pipelineSpec", {}), body.get("runtimeConfig", {})
    if not config.get("gcsOutputDirectory", "").startswith("gs://"):
        raise Refused(400, "runtime_config.gcs_output_directory: expected a path in a Cloud Storage bucket")
    given = "parameters" if spec.get("schemaVersion", "") < "2.1.0" else "parameterValues"
    declared = spec.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    if set(config.get(given, {})) != set(declared):
        raise Refused(400, f"runtime_config.{given}: expected {', '.join(sorted(declared)) or 'none'}")
