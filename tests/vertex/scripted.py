"""A project on stand-ins whose runs go as a test has written them down."""

import copy
import json
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

from esteira.google.api import Api
from esteira.local.cloud import logs, pipelines, schedules
from esteira.local.cloud.clock import Clock
from esteira.local.cloud.logs import Logs
from esteira.local.cloud.pipelines import Details, Pipelines
from esteira.local.cloud.schedules import Schedules
from esteira.local.cloud.server import StandIn
from esteira.release.manifest import Release
from esteira.release.store.folder import FolderStore
from esteira.settings import Environment, Settings
from tests.conftest import REPOSITORY

RELEASE = "0123456789ab"
BUILD = "b0b0b0b0-0000-4000-8000-000000000001"
RUN = f"sentiment-{RELEASE}-{BUILD}"
LINK = f"https://console.cloud.google.com/vertex-ai/locations/europe-west1/pipelines/runs/{RUN}?project=demo-project"
PARENT = "projects/demo-project/locations/europe-west1"
NUMBERED = "projects/123456789012/locations/europe-west1"
BUCKET = "gs://demo-bucket/sentiment"
REPORT = f"{BUCKET}/root/123456789012/{RUN}/EvaluationReport_1/report"
PUSHED = f"{BUCKET}/serving/1767225600"
GOLDEN = REPOSITORY / "tests" / "jobs" / "targets" / "golden" / "vertex.json"
STARTED = "2026-01-01T00:00:00.000000Z"
ENDED = "2026-01-01T00:01:01.500000Z"

Snapshot = Dict[str, str]


class Bucket(FolderStore):
    """A folder that says it is the bucket."""

    uri = BUCKET  # type: ignore[assignment]


def bound_job() -> Dict[str, Any]:
    job: Dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return job


def release_of(id: str = RELEASE) -> Release:
    known = {"pipeline": "sentiment", "commit": "", "dirty": False, "kind": "full", "parts": {}}
    return Release(id=id, at="2026-01-01T00:00:00Z", **known)


def in_dev(settings: Settings, **place: str) -> Settings:
    known = {"project": "demo-project", "region": "europe-west1", "bucket": "demo-bucket", "repository": "images"}
    dev = Environment(**{**known, **place})
    return settings.copy(update={"selected": "dev", "environments": {"dev": dev}})


def detail_of(name: str, state: str, number: int) -> Dict[str, Any]:
    """Return the details of a task in a state that may be followed by its error: "FAILED: the reason"."""
    word, _, message = state.partition(": ")
    detail: Dict[str, Any] = {"taskId": str(number), "parentTaskId": "1", "taskName": name, "state": word}
    detail["startTime"] = STARTED
    if word not in ("PENDING", "RUNNING"):
        detail["endTime"] = ENDED
    if message:
        detail["error"] = {"code": 9, "message": message}
    detail["executorDetail"] = {"containerDetail": {"mainJob": f"{NUMBERED}/customJobs/{number}"}}
    return detail


def snapshot_details(states: Snapshot, outputs: Dict[str, Any]) -> Details:
    details = [{"taskId": "1", "taskName": RUN, "state": "RUNNING"}]
    for number, (name, state) in enumerate(states.items(), 2):
        detail = detail_of(name, state, number)
        details.append({**detail, "outputs": outputs[name]} if name in outputs else detail)
    return details


def artifact(uri: str, title: str, **metadata: str) -> Dict[str, Any]:
    name = f"{NUMBERED}/metadataStores/default/artifacts/1"
    one = {"name": name, "uri": uri, "schemaTitle": title, "state": "LIVE", "metadata": metadata}
    return {"artifacts": [one]}


def usual_outputs() -> Dict[str, Any]:
    pushed = artifact(f"{BUCKET}/root/p", "tfx.PushedModel", pushed_destination=PUSHED)
    return {"EvaluationReport": {"report": artifact(REPORT, "tfx.ModelEvaluation")}, "Pusher": {"pushed_model": pushed}}


class Project:
    """What a project holds; its runs go through `snapshots`."""

    def __init__(self, settings: Settings, folder: Path, *snapshots: Snapshot) -> None:
        self.settings = in_dev(settings)
        self.snapshots = list(snapshots)
        self.outputs = usual_outputs()
        self.store = Bucket(folder)
        ticks = iter(range(1767225600, 1767325600))
        clock = Clock(lambda: next(ticks))
        self.pipelines = Pipelines(self.execute, clock)
        self.schedules = Schedules(self.pipelines)
        self.logs = Logs(clock=clock)
        self.stand_in = StandIn()
        self.said: List[str] = []
        self.paused_s: List[float] = []
        for handlers in (
            pipelines.handlers(self.pipelines),
            schedules.handlers(self.schedules),
            logs.handlers(self.logs),
        ):
            self.stand_in.add(handlers)

    def execute(self, job: Dict[str, Any]) -> Iterator[Details]:
        for snapshot in self.snapshots:
            yield snapshot_details(snapshot, self.outputs)

    def api(self, retry_s: float = 60.0) -> Api:
        return Api(
            "demo-project",
            "europe-west1",
            self.stand_in.variables(),
            environment="dev",
            retry_s=retry_s,
            pause=lambda s: None,
        )

    def add_run(self, run: str = RUN, release: str = RELEASE, **labels: str) -> None:
        """Make a run as a deploy makes it; other labels may be given."""
        known = {"pipeline": "sentiment", "environment": "dev", "release": release, "build": BUILD}
        self.pipelines.add(PARENT, run, {**bound_job(), "labels": {**known, **labels}})

    def pause(self, seconds: float) -> None:
        self.paused_s.append(seconds)

    def report(self, *, blessed: bool) -> Dict[str, Any]:
        """Lay down what the EvaluationReport writes."""
        threshold = {"metric": "macro_f1", "kind": "value", "value": 0.41, "bound": 0.6, "baseline": None}
        content: Dict[str, Any] = {
            "blessed": blessed,
            "baseline": None,
            "metrics": {"macro_f1": 0.41},
            "baseline_metrics": None,
            "thresholds": [{**threshold, "passed": blessed}],
            "slices": {},
        }
        self.store.write(f"{REPORT}/report.json"[len(BUCKET) + 1 :], json.dumps(content).encode())
        return content


def changed(job: Dict[str, Any], change: Callable[[Dict[str, Any]], Optional[object]]) -> Dict[str, Any]:
    other = copy.deepcopy(job)
    change(other)
    return other
