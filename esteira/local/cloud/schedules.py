"""The stand-in of Vertex AI's schedules, whose runs are pipeline jobs of the stand-in.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.schedules
"""

import re
import threading
from dataclasses import dataclass, field
from typing import Dict

from esteira.google.api import Json
from esteira.local.cloud.clock import DAY_S
from esteira.local.cloud.filters import matches
from esteira.local.cloud.numbers import numbered
from esteira.local.cloud.pipelines import Pipelines, check_job
from esteira.local.cloud.refusal import Refused, missing
from esteira.local.cloud.server import Call, Handler

# The highest number of each field of a cron line.
HIGHEST = (59, 23, 31, 12, 6)
REQUIRED = ("displayName", "cron", "maxConcurrentRunCount", "createPipelineJobRequest")


@dataclass
class Schedules:
    """The schedules of a region; thread-safe. None begins a run by itself: `run` does."""

    pipelines: Pipelines
    schedules: Dict[str, Json] = field(default_factory=dict)
    _made: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def run(self, name: str) -> Json:
        """Begin a run of a schedule and return its pipeline job."""
        request = self.schedules[name]["createPipelineJobRequest"]
        return self.pipelines.add(request["parent"], "", request["pipelineJob"], scheduleName=name)

    def create(self, call: Call) -> Json:
        body = call.body or {}
        check_schedule(body)
        with self._lock:
            self._made += 1
            name = f"{numbered(call.parameters['parent'])}/schedules/{self._made}"
            now, clock = self.pipelines.clock.now(), self.pipelines.clock
            told = {"name": name, "createTime": now, "updateTime": now, "nextRunTime": clock.now(DAY_S)}
            self.schedules[name] = {**body, **told, "state": "ACTIVE", "startedRunCount": "0", "catchUp": False}
            return self.schedules[name]

    def get(self, call: Call) -> Json:
        with self._lock:
            return self.known(call)

    def list(self, call: Call) -> Json:
        with self._lock:
            return {
                "schedules": [one for one in self.schedules.values() if matches(call.parameters.get("filter", ""), one)]
            }

    def patch(self, call: Call) -> Json:
        fields = [name for name in call.parameters.get("updateMask", "").split(",") if name]
        if not fields:
            raise Refused(400, "update_mask: is required")
        with self._lock:
            schedule = self.known(call)
            changed = {**schedule, **{name: (call.body or {})[name] for name in fields}}
            check_schedule(changed)
            schedule.update(changed, updateTime=self.pipelines.clock.now())
            return schedule

    def pause(self, call: Call) -> Json:
        return self.change(call, "ACTIVE", "PAUSED", "lastPauseTime")

    def resume(self, call: Call) -> Json:
        return self.change(call, "PAUSED", "ACTIVE", "lastResumeTime")

    def change(self, call: Call, before: str, after: str, moment: str) -> Json:
        with self._lock:
            schedule = self.known(call)
            if schedule["state"] != before:
                raise Refused(400, f"The schedule is {schedule['state']}.", word="FAILED_PRECONDITION")
            schedule.update({"state": after, moment: self.pipelines.clock.now()})
        return {}

    def delete(self, call: Call) -> Json:
        with self._lock:
            schedule = self.known(call)
            del self.schedules[schedule["name"]]
        return {"name": f"{schedule['name']}/operations/1", "done": True, "response": {}}

    def known(self, call: Call) -> Json:
        name = numbered(call.parameters["name"])
        if name not in self.schedules:
            raise missing(f"Schedule {call.parameters['name']}")
        return self.schedules[name]


def handlers(schedules: Schedules) -> Dict[str, Handler]:
    prefix = "aiplatform.projects.locations.schedules"
    names = ("create", "get", "list", "patch", "pause", "resume", "delete")
    return {f"{prefix}.{name}": getattr(schedules, name) for name in names}


def check_schedule(schedule: Json) -> None:
    lacks = [name for name in REQUIRED if name not in schedule]
    if lacks:
        raise Refused(400, f"{', '.join(lacks)}: is required")
    check_cron(schedule["cron"])
    request = schedule["createPipelineJobRequest"]
    check_job(request.get("pipelineJobId", "scheduled"), request["pipelineJob"])


def check_cron(line: str) -> None:
    fields = re.sub("^(CRON_)?TZ=[^ ]+ ", "", line).split(" ")
    numbers = [[int(number) for number in re.findall("[0-9]+", field)] for field in fields]
    if len(fields) != len(HIGHEST) or any(number > most for all, most in zip(numbers, HIGHEST) for number in all):
        raise Refused(400, f"cron: {line}: is no cron schedule")
