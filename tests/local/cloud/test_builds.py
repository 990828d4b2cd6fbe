"""The stand-in of Cloud Build: its steps run for real, and what is told of them is what Cloud Build tells."""

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from esteira.errors import GoogleError
from esteira.google.api import Api
from esteira.local.cloud.builds import Builds
from esteira.local.cloud.refusal import missing
from esteira.local.cloud.server import StandIn, served
from tests.release.test_lease import wait_until

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

BUILDER = f"europe-west1-docker.pkg.dev/demo-project/images/builder@sha256:{'1' * 64}"
PATH = "v1/projects/demo-project/locations/europe-west1/builds"
SOURCE = {"storageSource": {"bucket": "demo-bucket", "object": "sources/a.tgz"}}


class CloudBuild:
    """Cloud Build at a stand-in, the lines of its log, and what lies in the bucket."""

    def __init__(self, folder: Path, stand_in: StandIn) -> None:
        self.lines: List[Tuple[str, str]] = []
        self.objects: Dict[str, bytes] = {}
        environ = {"PATH": "/usr/bin:/bin", "INDEX_TOKEN": "a secret"}
        self.builds = Builds(folder, self.fetch, lambda build, step, line: self.lines.append((step, line)), environ)
        stand_in.add(self.builds.handlers())
        self.api = Api("demo-project", "europe-west1", stand_in.variables(), environment="dev", pause=lambda s: None)

    def fetch(self, bucket: str, name: str) -> bytes:
        if name not in self.objects:
            raise missing(f"gs://{bucket}/{name}")
        return self.objects[name]

    def post(self, *steps: Dict[str, Any], **more: Any) -> str:
        """Create a build and return its id."""
        body = {"steps": list(steps), "substitutions": {"_BUILDER": BUILDER}, **more}
        operation = self.api.call("create the build", "cloudbuild", "POST", PATH, body=body)
        return str(operation["metadata"]["build"]["id"])

    def get(self, build: str) -> Dict[str, Any]:
        return self.api.call("see the build", "cloudbuild", "GET", f"{PATH}/{build}")

    def cancel(self, build: str) -> None:
        self.api.call("cancel the build", "cloudbuild", "POST", f"{PATH}/{build}:cancel", body={})

    def ended(self, *steps: Dict[str, Any], **more: Any) -> Dict[str, Any]:
        """Return a build once it is over."""
        build = self.post(*steps, **more)
        self.builds.wait()
        return self.get(build)


@pytest.fixture
def cloud_build(tmp_path: Path) -> Iterator[CloudBuild]:
    with served(StandIn()) as stand_in:
        yield CloudBuild(tmp_path, stand_in)


def step(name: str, script: str, **more: Any) -> Dict[str, Any]:
    return {"id": name, "name": "${_BUILDER}", "entrypoint": "sh", "args": ["-c", script], **more}


def told(build: Dict[str, Any]) -> Dict[str, Tuple[str, Any]]:
    return {step["id"]: (step["status"], step.get("exitCode")) for step in build["steps"]}


def test_steps_run_and_are_told_with_their_log(cloud_build: CloudBuild) -> None:
    build = cloud_build.ended(step("a", "echo one; echo two"), step("b", "echo three >&2"))
    assert build["status"] == "SUCCESS"
    assert told(build) == {"a": ("SUCCESS", 0), "b": ("SUCCESS", 0)}
    assert build["createTime"] <= build["startTime"] <= build["finishTime"]
    assert all(set(one["timing"]) == {"startTime", "endTime"} for one in build["steps"])
    assert [line for line in cloud_build.lines if line[0].startswith('Step #0 - "a"')] == [
        ('Step #0 - "a"', "one"),
        ('Step #0 - "a"', "two"),
    ]
    assert {step for step, _ in cloud_build.lines} == {'Step #0 - "a"', 'Step #1 - "b"'}


def test_a_steps_home_is_that_of_whoever_serves_the_project(cloud_build: CloudBuild) -> None:
    cloud_build.builds.environ = {"PATH": "/usr/bin:/bin", "HOME": "/home/u"}
    home = {"_BUILDER": BUILDER, "_HOME": "/tmp"}
    cloud_build.ended(step("a", "echo $$HOME", env=["HOME=${_HOME}"]), substitutions=home)
    assert ('Step #0 - "a"', "/home/u") in cloud_build.lines


def test_a_step_that_fails_ends_the_others_and_keeps_its_exit_code(cloud_build: CloudBuild) -> None:
    build = cloud_build.ended(
        step("slow", "sleep 600", waitFor=["-"]), step("wrong", "exit 7", waitFor=["-"]), step("next", "true")
    )
    assert build["status"] == "FAILURE"
    assert told(build)["wrong"] == ("FAILURE", 7)
    assert told(build)["slow"][0] == "CANCELLED"
    # What was not begun stays in the queue.
    assert told(build)["next"] == ("QUEUED", None)
    assert "timing" not in build["steps"][2]


def test_a_build_and_a_step_that_take_too_long_are_ended(cloud_build: CloudBuild) -> None:
    assert cloud_build.ended(step("a", "sleep 600"), timeout="1s")["status"] == "TIMEOUT"
    build = cloud_build.ended(step("a", "sleep 600", timeout="1s"))
    assert (build["status"], told(build)["a"][0]) == ("FAILURE", "TIMEOUT")


def test_a_build_is_cancelled_once_at_any_time(cloud_build: CloudBuild) -> None:
    at_once = cloud_build.post(step("a", "sleep 600"))
    cloud_build.cancel(at_once)
    running = cloud_build.post(step("a", "echo begun; sleep 600"))
    wait_until(lambda: ('Step #0 - "a"', "begun") in cloud_build.lines)
    assert cloud_build.get(running)["status"] == "WORKING"
    cloud_build.cancel(running)
    cloud_build.builds.wait()
    assert [cloud_build.get(build)["status"] for build in (at_once, running)] == ["CANCELLED", "CANCELLED"]
    with pytest.raises(GoogleError, match="cannot cancel the build: build is already done"):
        cloud_build.cancel(running)


def test_the_source_is_laid_into_the_workspace(cloud_build: CloudBuild) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("folder/file")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"hello"))
    cloud_build.objects["sources/a.tgz"] = packed.getvalue()
    assert cloud_build.ended(step("a", "cat folder/file"), source=SOURCE)["status"] == "SUCCESS"
    assert cloud_build.lines == [('Step #0 - "a"', "hello")]


@pytest.mark.parametrize(
    "content", [None, b"no archive", gzip.compress(b"no tar")], ids=["none", "no gzip", "no tar in it"]
)
def test_a_source_that_is_no_use_is_an_error_with_its_reason(cloud_build: CloudBuild, content: Any) -> None:
    if content is not None:
        cloud_build.objects["sources/a.tgz"] = content
    build = cloud_build.ended(step("a", "true"), source=SOURCE)
    assert build["status"] == "INTERNAL_ERROR"
    assert build["statusDetail"] == build["failureInfo"]["detail"] != ""


def test_what_cloud_build_puts_in_is_in_the_steps_and_the_tags(cloud_build: CloudBuild) -> None:
    build = cloud_build.ended(
        step("a", "echo $PROJECT_ID $LOCATION $BUILD_ID $$HOME_OF"),
        step("b", "echo $$INDEX_TOKEN", secretEnv=["INDEX_TOKEN"]),
        availableSecrets={
            "secretManager": [
                {"versionName": "projects/$PROJECT_ID/secrets/index-token/versions/1", "env": "INDEX_TOKEN"}
            ]
        },
        tags=["esteira", "deploy-${_DEPLOY}"],
        substitutions={"_BUILDER": BUILDER, "_DEPLOY": "0a1b"},
    )
    assert build["status"] == "SUCCESS"
    assert build["tags"] == ["esteira", "deploy-0a1b"]
    assert cloud_build.lines == [
        ('Step #0 - "a"', f"demo-project europe-west1 {build['id']}"),
        ('Step #1 - "b"', "a secret"),
    ]


def test_builds_are_listed_by_a_tag_the_newest_first(cloud_build: CloudBuild) -> None:
    builds = [cloud_build.post(step("a", "true"), tags=["esteira", f"deploy-{name}"]) for name in "aba"]
    cloud_build.builds.wait()

    def listed(filter: str) -> List[str]:
        found = cloud_build.api.pages("list builds", "cloudbuild", PATH, "builds", {"filter": filter})
        return [build["id"] for build in found]

    assert listed('tags="deploy-a"') == [builds[2], builds[0]]
    assert listed('tags="deploy-c"') == []
    assert listed("") == builds[::-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": []}, "invalid build: no build step specified"),
        ({"steps": [{"name": "python:3.8"}], "substitutions": {}}, "invalid build step name 'python:3.8'"),
        (
            {"substitutions": {"_BUILDER": "europe-west1-docker.pkg.dev/demo-project/images/builder:latest"}},
            "builder:latest': expected one by digest",
        ),
        ({"substitutions": {"_BUILDER": BUILDER, "_UNUSED": ""}}, "substitution _UNUSED is declared and never used"),
        ({"steps": [{"name": BUILDER, "waitFor": ["none"], "id": "a"}]}, "waitFor"),
        ({"stepz": []}, "stepz"),
    ],
)
def test_what_cloud_build_would_refuse_is_refused(
    cloud_build: CloudBuild, change: Dict[str, Any], message: str
) -> None:
    body = {"steps": [step("a", "true")], "substitutions": {"_BUILDER": BUILDER}, **change}
    with pytest.raises(GoogleError) as caught:
        cloud_build.api.call("create the build", "cloudbuild", "POST", PATH, body=body)
    assert caught.value.status == 400
    assert message in str(caught.value)
    assert cloud_build.builds.known == {}


def test_a_build_that_is_not_there_is_not_found(cloud_build: CloudBuild) -> None:
    for act in (cloud_build.get, cloud_build.cancel):
        with pytest.raises(GoogleError) as caught:
            act("0a1b")
        assert caught.value.status == 404
