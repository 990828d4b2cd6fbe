"""A repository and a project that it deploys to, whole but for the run: that goes as a test says."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

from esteira.google.api import Api, Json
from esteira.local.cloud.base import stand_for_bases
from esteira.local.cloud.endpoints import Container
from esteira.local.cloud.pipelines import Details
from esteira.local.cloud.project import Project, served_project
from esteira.local.cloud.scratch import clone_here, settings_of, variables
from esteira.release.store import Store
from esteira.release.store.cloud import CloudStore
from esteira.settings import Settings
from tests.deploy.started import PATIENCE_S, Ended, Started
from tests.images.image_made import tiny_wheels
from tests.images.project_made import keep_wheels
from tests.programs import require_program
from tests.repositories import commit_all
from tests.serving.small_model import answer, model_files
from tests.vertex.endpoint_project import SERVING
from tests.vertex.scripted import artifact, snapshot_details

TASKS = ("Trainer", "EvaluationReport", "Pusher")


@dataclass
class Whole:
    """A scratch repository at `root`, and its project.

    `blessed` says what the next run comes to; while `stuck`, a run has no end.
    """

    root: Path
    project: Project
    settings: Settings
    environ: Dict[str, str]
    blessed: bool = True
    stuck: bool = False
    runs: List[str] = field(default_factory=list)

    def run(self, task: str, **also: str) -> Ended:
        """Run an Invoke task as make does, with settings such as FORMAT="word"."""
        with self.start(task, **also) as started:
            return started.ended()

    def start(self, task: str, *, root: Optional[Path] = None, **also: str) -> Started:
        """Begin an Invoke task, in another clone than the scratch repository if `root` is given."""
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "invoke", task],
            cwd=root or self.root,
            env={**self.environ, **{f"ESTEIRA_{name}": value for name, value in also.items()}},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        return Started(process)

    def wait(self) -> None:
        """Return once no build runs any more. AssertionError tells of those that still do after PATIENCE_S."""
        limit_s = time.monotonic() + PATIENCE_S
        for thread in list(self.project.builds.threads):
            thread.join(max(0.0, limit_s - time.monotonic()))
            states = {name: build["status"] for name, build in self.project.builds.known.items()}
            assert not thread.is_alive(), f"waited {PATIENCE_S:g} s for builds: {states}; their log:\n{self.log()}"

    def log(self) -> str:
        """Return what all builds and runs have written."""
        return "\n".join(str(entry.get("textPayload")) for entry in self.project.logs.entries)

    def end_all(self) -> None:
        """Have every run end, and every build, which is cancelled if it still goes on."""
        self.stuck = False
        for build in list(self.project.builds.running.values()):
            build.cancel()
        self.wait()

    def traffic(self) -> Dict[str, int]:
        """Return the share of the traffic of each release that is deployed."""
        endpoint = self.project.endpoints.known[SERVING]
        split = endpoint.get("trafficSplit", {})
        return {model["displayName"]: split.get(model["id"], 0) for model in endpoint["deployedModels"]}

    @property
    def store(self) -> Store:
        place = self.settings.environment
        api = Api(place.project, place.region, self.environ)
        return CloudStore(place, self.settings.pipeline.name, api)

    def execute(self, job: Json) -> Iterator[Details]:
        """Tell of a run whose tasks succeed, and leave what its report and its model are."""
        run = job["name"].rpartition("/")[2]
        self.runs.append(run)
        yield snapshot_details({name: "RUNNING" for name in TASKS}, {})
        while self.stuck:
            yield snapshot_details({name: "RUNNING" for name in TASKS}, {})
        root, store = f"root/{run}", self.store
        threshold = {"metric": "macro_f1", "kind": "value", "value": 0.7, "bound": 0.6, "baseline": None}
        evaluation = {
            "blessed": self.blessed,
            "baseline": None,
            "metrics": {"macro_f1": 0.7 if self.blessed else 0.5},
            "baseline_metrics": None,
            "thresholds": [{**threshold, "passed": self.blessed}],
            "slices": {},
        }
        store.write(f"{root}/report/report.json", json.dumps(evaluation).encode())
        model = f"serving/{1700000000 + len(self.runs)}"
        for name, content in model_files().items():
            store.write(f"{model}/{name}", content)
        outputs = {
            "EvaluationReport": {"report": artifact(f"{store.uri}/{root}/report", "tfx.ModelEvaluation")},
            "Pusher": {
                "pushed_model": artifact(
                    f"{store.uri}/{root}/p", "tfx.PushedModel", pushed_destination=f"{store.uri}/{model}"
                )
            },
        }
        yield snapshot_details({name: "SUCCEEDED" for name in TASKS}, outputs)


def start_model(model: Json) -> Container:
    """Return what answers as every release's model here does."""

    def answer_in_json(body: bytes) -> Tuple[int, bytes]:
        status, said = answer(body)
        return status, json.dumps(said).encode()

    return answer_in_json


@contextmanager
def whole_project(settings: Settings, folder: Path) -> Iterator[Whole]:
    """Serve a project, made ready for a clone of this repository whose lock holds three tiny wheels."""
    for program, package in (("gcloud", "google-cloud-cli"), ("docker-registry", "docker-registry")):
        require_program(program, package)
    root, state = clone_here(settings, "dev", folder), folder / "state"
    cache = folder / "cache"
    for path, text in keep_wheels(cache / "esteira" / "wheels", tiny_wheels(folder / "wheels")).items():
        (root / path).write_text(text)
    environ = variables(os.environ, "dev", state)
    chosen = settings_of(root, "dev", state, environ)
    with served_project(chosen, folder, environ, ["docker.io"]) as project:
        told = {**environ, **project.variables, "XDG_CACHE_HOME": str(cache)}
        stand_for_bases(root, chosen.mirrors, folder / "base", told)
        commit_all(root, "a small lock")
        project.builds.environ = told
        whole = Whole(root, project, chosen, told)
        project.pipelines.execute = whole.execute
        project.endpoints.start = start_model
        try:
            yield whole
        finally:
            whole.end_all()
