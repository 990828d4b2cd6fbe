"""Cloud Build as gcloud and the engine see it, its builds going as a test says; fixtures for a conftest to import."""

import gzip
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List

import pytest

from esteira.builds.render import render_build
from esteira.builds.submit import Submitted, submit_build
from esteira.google.api import Api
from esteira.local.builds.plan import Build
from esteira.local.cloud import logs
from esteira.local.cloud.builds import Builds
from esteira.local.cloud.clock import Clock
from esteira.local.cloud.contents import Contents
from esteira.local.cloud.logs import Logs
from esteira.local.cloud.project import fetch
from esteira.local.cloud.server import Call, StandIn
from esteira.settings import Environment, Settings
from tests.programs import require_program
from tests.vertex.scripted import in_dev

__all__ = ["Scene", "scene"]

CREATE = "cloudbuild.projects.locations.builds.create"
CANCEL = "cloudbuild.projects.locations.builds.cancel"
GET = "cloudbuild.projects.locations.builds.get"
# An archive with nothing in it, packed with gzip.
ARCHIVE = gzip.compress(bytes(10240))
SUBSTITUTIONS = {
    "_BASE": f"docker.io/library/python@sha256:{'0' * 64}",
    "_BUILDER": f"europe-west1-docker.pkg.dev/demo-project/images/builder@sha256:{'1' * 64}",
    "_DEPLOY": "0a1b2c3d",
    "_FOLLOWS": "none",
    "_ENV": "dev",
    "_SETTINGS": "",
    "_PLAN": "{}",
}


@dataclass
class Scripted(Builds):
    """Builds of which none is run: each look at one takes the next of `moments`, which change it."""

    moments: List[Dict[str, Any]] = field(default_factory=list)

    def run(self, build: Dict[str, Any], planned: Build) -> None:
        build["status"] = "WORKING"

    def get(self, call: Call) -> Any:
        build = self.find(call)
        if self.moments:
            self.advance(build, self.moments.pop(0))
        return super().get(call)

    def cancel(self, call: Call) -> Any:
        answer = super().cancel(call)
        self.find(call)["status"] = "CANCELLED"
        return answer

    def advance(self, build: Dict[str, Any], moment: Dict[str, Any]) -> None:
        """Change a build; its steps are named by their ids, as (status, exit code), and `say` is what they print."""
        steps, lines = moment.get("steps", {}), moment.get("say", [])
        for step in build["steps"]:
            status, code = steps.get(step["id"], (None, None))
            step.update({"status": status} if status else {})
            step.update({"exitCode": code} if code is not None else {})
        for name, text in lines:
            self.write(build["id"], name, text)
        build.update({key: value for key, value in moment.items() if key not in ("steps", "say")})


@dataclass
class Scene:
    """An environment dev, whose Cloud Build is scripted and whose bucket is real."""

    settings: Settings
    api: Api
    stand_in: StandIn
    builds: Scripted
    logs: Logs
    environ: Dict[str, str]
    folder: Path
    paused_s: List[float] = field(default_factory=list)

    def submit(self, archive: bytes = ARCHIVE, **substitutions: str) -> Submitted:
        """Submit the full build."""
        require_program("gcloud", "google-cloud-cli")
        build_file, source = self.folder / "full.yaml", self.folder / "source.tgz"
        build_file.write_text(render_build("full.yaml.j2", self.settings))
        source.write_bytes(archive)
        given = {**SUBSTITUTIONS, **substitutions}
        return submit_build(
            self.settings, self.api, build_file, source, given, self.environ, pause=self.paused_s.append
        )

    def add_build(self, *moments: Dict[str, Any], build: str = "", **known: Any) -> str:
        """Let Cloud Build have a build already, with some steps; return its id."""
        ids = ("open", "data", "sync", "release", "run", "smoke", "promote")
        build = build or f"b0b0b0b0-0000-4000-8000-00000000000{len(self.builds.known) + 1}"
        steps = [{"id": name, "name": SUBSTITUTIONS["_BUILDER"], "status": "QUEUED"} for name in ids]
        self.builds.known[build] = {"id": build, "status": "QUEUED", "steps": steps, "tags": [], **known}
        self.builds.moments += moments
        return build

    def posted(self) -> Dict[str, Any]:
        """Return the body of the one build that was posted."""
        (call,) = self.stand_in.called(CREATE)
        body: Dict[str, Any] = call.body
        return body


@pytest.fixture
def scene(
    stand_in: StandIn,
    bucket_server: str,
    environment: Environment,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Scene:
    """Cloud Build, Cloud Logging and Cloud Storage, where gcloud and the engine find them."""
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    contents, kept = Contents(bucket_server), Logs(clock=Clock())
    builds = Scripted(
        tmp_path / "builds",
        lambda bucket, name: fetch(contents, bucket, name),
        lambda build, step, line: add_line(kept, build, step, line),
        os.environ,
    )
    stand_in.add(builds.handlers())
    stand_in.add(logs.handlers(kept))
    placed = in_dev(settings, bucket=environment.bucket)
    api = Api("demo-project", "europe-west1", stand_in.variables(), environment="dev", pause=lambda s: None)
    return Scene(placed, api, stand_in, builds, kept, dict(os.environ), tmp_path)


def add_line(kept: Logs, build: str, step: str, line: str) -> None:
    label = step if step == "MAIN" else f'Step #0 - "{step}"'
    kept.add("build", {"build_id": build}, line, entry_labels={"build_step": label}, log="cloudbuild")
