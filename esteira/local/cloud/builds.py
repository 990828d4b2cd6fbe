"""Cloud Build's stand-in: it takes builds as gcloud posts them, and runs their steps on this machine.

Images are not pulled: each must be named by digest, and the project's environment stands for the builder.
"""

import io
import json
import secrets
import tarfile
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Set

from esteira.builds.lint_steps import DIGEST
from esteira.builds.submit import OVER
from esteira.builds.substitutions import substitute
from esteira.errors import BuildError, EsteiraError
from esteira.local.builds.execution import Execution
from esteira.local.builds.plan import Build, read_build
from esteira.local.builds.support import BUILD, LOCAL_BUILDER, OWN_MODE
from esteira.local.cloud.numbers import PROJECT_NUMBER
from esteira.local.cloud.refusal import Refused, missing
from esteira.local.cloud.server import Call, Handler
from esteira.progress import Progress

METADATA = "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata"
IMAGES = ("_BASE", "_BUILDER")
# The home of a step: on this machine the user's own, whose cache has the wheels.
HOME = "_HOME"
MODE = "_MODE"
# The words of the local runner for how a step or a build ended, in those of Cloud Build.
STATUSES = {
    "succeeded": "SUCCESS",
    "allowed_failure": "SUCCESS",
    "failed": "FAILURE",
    "timed_out": "TIMEOUT",
    "cancelled": "CANCELLED",
    "skipped": "QUEUED",
}

Fetch = Callable[[str, str], bytes]
Write = Callable[[str, str, str], None]


@dataclass
class Builds:
    """Builds by their id. `fetch` returns an object of a bucket; `write` takes a build's id, a step's
    label and a line that it wrote. Each step gets `step_variables`, beside those of the build file."""

    folder: Path
    fetch: Fetch
    write: Write
    environ: Mapping[str, str]
    number: str = PROJECT_NUMBER
    known: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    running: Dict[str, Execution] = field(default_factory=dict)
    cancelled: Set[str] = field(default_factory=set)
    threads: List[threading.Thread] = field(default_factory=list)
    step_variables: Dict[str, str] = field(default_factory=dict)

    def handlers(self) -> Dict[str, Handler]:
        return {
            "cloudbuild.projects.builds.create": self.create,
            "cloudbuild.projects.locations.builds.create": self.create,
            "cloudbuild.projects.locations.builds.get": self.get,
            "cloudbuild.projects.locations.builds.list": self.list,
            "cloudbuild.projects.locations.builds.cancel": self.cancel,
        }

    def create(self, call: Call) -> Any:
        """Take a build, and begin it in a thread of its own."""
        project, _, location = place_of(call)
        if not call.body.get("steps"):
            raise Refused(400, "invalid build: no build step specified")
        build_id = f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-4000-8000-{secrets.token_hex(6)}"
        build = {
            **call.body,
            "id": build_id,
            "name": f"projects/{self.number}/locations/{location}/builds/{build_id}",
            "projectId": project,
            "status": "QUEUED",
            "createTime": now(),
            "logUrl": f"https://console.cloud.google.com/cloud-build/builds;region={location}/{build_id}",
        }
        built_in = {
            "PROJECT_ID": project,
            "PROJECT_NUMBER": self.number,
            "LOCATION": location,
            "BUILD_ID": build_id,
        }
        values = {**built_in, **build.get("substitutions", {})}
        check_images(build, values)
        planned = plan(build, built_in, self.environ.get("HOME", ""))
        build["tags"] = [substitute(tag, values) for tag in build.get("tags", [])]
        self.known[build_id] = build
        thread = threading.Thread(target=self.run, args=(build, planned), daemon=True)
        self.threads.append(thread)
        thread.start()
        operation = f"projects/{project}/locations/{location}/operations/{build_id}"
        return {"name": operation, "metadata": {"@type": METADATA, "build": snapshot(build)}, "done": False}

    def get(self, call: Call) -> Any:
        return snapshot(self.find(call))

    def list(self, call: Call) -> Any:
        """Return the builds that bear the tag of a filter such as tags="deploy-0a1b", the newest first."""
        wanted = call.parameters.get("filter", "")
        builds = [build for build in self.known.values() if bears(build, wanted)]
        return {"builds": [snapshot(build) for build in reversed(builds)]}

    def cancel(self, call: Call) -> Any:
        build = self.find(call)
        if build["status"] in OVER:
            raise Refused(400, "build is already done", word="FAILED_PRECONDITION")
        self.cancelled.add(build["id"])
        if build["id"] in self.running:
            self.running[build["id"]].cancel()
        return snapshot(build)

    def find(self, call: Call) -> Dict[str, Any]:
        build = self.known.get(call.parameters["name"].rpartition("/")[2])
        if build is None:
            raise missing("build")
        return build

    def wait(self) -> None:
        """Return once no build runs any more."""
        for thread in self.threads:
            thread.join()

    def run(self, build: Dict[str, Any], planned: Build) -> None:
        """Run a build's steps, keeping what Cloud Build would tell of them."""
        build.update(status="WORKING", startTime=now())
        try:
            status = self.execute(build, planned)
        except (EsteiraError, Refused, OSError, tarfile.TarError) as error:
            build["failureInfo"] = {"type": "FAILURE_TYPE_UNSPECIFIED", "detail": str(error)}
            build["statusDetail"] = str(error)
            status = "INTERNAL_ERROR"
        self.running.pop(build["id"], None)
        build.update(finishTime=now(), status=status)

    def execute(self, build: Dict[str, Any], planned: Build) -> str:
        folder = self.folder / build["id"]
        workspace, logs = folder / "workspace", folder / "logs"
        for path in (workspace, logs):
            path.mkdir(parents=True)
        self.lay_source(build, workspace)
        for each in planned.steps:
            each.variables.update(self.step_variables)
        report = Steps(build, self.write)
        execution = Execution(planned, folder, logs, workspace / ".esteira", self.environ, report)
        self.running[build["id"]] = execution
        if build["id"] in self.cancelled:
            execution.cancel()
        state = execution.run()
        for step, result in zip(build["steps"], execution.results()):
            step["status"] = STATUSES[result.state]
            if result.status is not None:
                step["exitCode"] = result.status
        return STATUSES[state]

    def lay_source(self, build: Mapping[str, Any], workspace: Path) -> None:
        """Unpack the source, which root does in Cloud Build."""
        place = build.get("source", {}).get("storageSource")
        if place:
            content = self.fetch(place["bucket"], place["object"])
            with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
                archive.extractall(workspace)  # noqa: S202, as the deploy on this machine packed it


class Steps(Progress):
    """What a build's steps do, told where Cloud Build tells it: in the build, and in Cloud Logging."""

    def __init__(self, build: Dict[str, Any], write: Write) -> None:
        super().__init__([])
        self._build = build
        self._write = write
        self._ids = [step.get("id", f"step-{index}") for index, step in enumerate(build["steps"])]

    def started(self, name: str) -> None:
        self._set(name, "WORKING", "startTime")

    def finished(self, name: str, outcome: str, detail: str = "") -> None:
        if outcome != "skipped":
            self._set(name, STATUSES[outcome], "endTime")

    def line(self, name: str, text: str) -> None:
        step = f'Step #{self._ids.index(name)} - "{name}"' if name in self._ids else "MAIN"
        self._write(self._build["id"], step, text)

    def _set(self, name: str, status: str, moment: str) -> None:
        if name in self._ids:
            step = self._build["steps"][self._ids.index(name)]
            step.setdefault("timing", {})[moment] = now()
            step["status"] = status


def plan(build: Mapping[str, Any], built_in: Mapping[str, str], home: str) -> Build:
    """Return a build as the local runner reads it, its images and its home replaced by what stands for them here.

    Refused, as Cloud Build would after the upload, for what gcloud does not notice.
    """
    known = {key: value for key, value in build.items() if key in BUILD}
    told = ("status", "exitCode", "timing")
    known["steps"] = [{key: value for key, value in step.items() if key not in told} for step in build["steps"]]
    ours = {**{key: LOCAL_BUILDER for key in IMAGES}, HOME: home, MODE: OWN_MODE}
    given = {key: value for key, value in ours.items() if key in known.get("substitutions", {})}
    try:
        return read_build(json.dumps(known), "build", given, built_in)
    except BuildError as error:
        raise Refused(400, f"invalid build: {error}") from None


def check_images(build: Mapping[str, Any], values: Mapping[str, str]) -> None:
    """Refuse an image that is not named by its digest: here nobody could tell which one it is."""
    for step in build["steps"]:
        image = substitute(step["name"], values)
        if not DIGEST.search(image):
            raise Refused(400, f"invalid build: invalid build step name {image!r}: expected one by digest")


def bears(build: Mapping[str, Any], wanted: str) -> bool:
    key, _, value = wanted.partition("=")
    return not wanted or (key == "tags" and value.strip('"') in build.get("tags", []))


def place_of(call: Call) -> List[str]:
    """Return project, "locations" and location of a call: Cloud Build's older method has none but global."""
    parent = call.parameters.get("parent", "")
    if parent:
        return parent.split("/")[1:]
    return [call.parameters["projectId"], "locations", "global"]


def snapshot(build: Mapping[str, Any]) -> Dict[str, Any]:
    """Return a build as it is now."""
    copied: Dict[str, Any] = json.loads(json.dumps(build))
    return copied


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
