"""The committed build files, as the programs see it that people use."""

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import yaml

from esteira.builds.lint import lint_build

REPOSITORY = Path(__file__).resolve().parents[2]
FULL = REPOSITORY / "cloudbuild" / "full.yaml"
PARTIAL = REPOSITORY / "cloudbuild" / "partial.yaml"
BOTH = pytest.mark.parametrize("path", [FULL, PARTIAL], ids=["full", "partial"])
# The tasks of the step of a partial build that makes a release and runs it.
PARTIAL_RUN = ["data", "sync", "release", "run"]
SCHEMA = Path(__file__).with_name("schema") / "cloudbuild.json"

Posted = List[Tuple[str, Dict[str, Any]]]


def read_build(path: Path) -> Dict[str, Any]:
    build: Dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return build


def run_tool(name: str, *arguments: str) -> None:
    tool = Path(sys.executable).with_name(name)
    completed = subprocess.run([str(tool), *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr


@BOTH
def test_it_has_no_faults(path: Path) -> None:
    assert lint_build(path.read_text(encoding="utf-8"), path.name) == []


def test_a_full_build_compiles_and_makes_the_image_beside_the_data() -> None:
    assert order_of(FULL) == {
        "open": ["-"],
        "data": ["open"],
        "compile": ["open"],
        "image": ["open"],
        "sync": ["data"],
        "release": ["sync", "compile", "image"],
        "run": ["release"],
        "smoke": ["run"],
        "promote": ["smoke"],
    }


def test_a_partial_build_neither_builds_an_image_nor_compiles() -> None:
    assert order_of(PARTIAL) == {
        "open": ["-"],
        "run": ["open"],
        "smoke": ["run"],
        "promote": ["smoke"],
    }


def order_of(path: Path) -> Dict[str, List[str]]:
    return {step["id"]: step["waitFor"] for step in read_build(path)["steps"]}


@BOTH
def test_its_steps_are_tasks_in_the_builder_image(path: Path) -> None:
    first, *others = read_build(path)["steps"]
    assert (first["id"], first["name"], first["entrypoint"]) == ("open", "${_BASE}", "chmod")
    for step in others:
        assert [step["entrypoint"], *step["args"][:3]] == ["python", "-m", "invoke", "--write-pyc"]
        assert step["args"][3:] == (PARTIAL_RUN if (path, step["id"]) == (PARTIAL, "run") else [step["id"]])
        assert step["name"] == "${_BUILDER}"
        assert step["timeout"].endswith("s")


@BOTH
def test_it_opens_the_source_to_the_user_of_its_steps(path: Path) -> None:
    """Cloud Build lays it down as root, in a machine that nobody else uses."""
    build = read_build(path)
    assert build["steps"][0]["args"] == ["-R", "${_MODE}", "."]
    assert build["substitutions"]["_MODE"] == "a+rwX"


@BOTH
def test_its_steps_have_a_home_that_is_theirs_to_write(path: Path) -> None:
    """Cloud Build's own, /builder/home, is root's."""
    build = read_build(path)
    assert build["substitutions"]["_HOME"] == "/tmp"
    assert all(step["env"][0] == "HOME=${_HOME}" for step in build["steps"][1:])


@BOTH
def test_it_names_no_builder_of_its_own(path: Path) -> None:
    """A default that some registry answers to would run a stranger's image with the build's rights."""
    assert [read_build(path)["substitutions"][key] for key in ("_BASE", "_BUILDER")] == ["", ""]


@pytest.mark.programs
def test_yamllint_finds_nothing() -> None:
    run_tool("yamllint", "--strict", "-c", ".yamllint.yaml", "cloudbuild")


@pytest.mark.programs
def test_they_are_valid_by_the_schema_of_cloud_build() -> None:
    run_tool("check-jsonschema", "--schemafile", str(SCHEMA), str(FULL), str(PARTIAL))


@pytest.mark.programs
def test_the_schema_refuses_what_it_should(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(FULL.read_text(encoding="utf-8").replace("waitFor:", "wait_for:"))
    with pytest.raises(AssertionError, match="wait_for"):
        run_tool("check-jsonschema", "--schemafile", str(SCHEMA), str(broken))


@pytest.fixture
def cloud_build() -> Iterator[Tuple[str, Posted]]:
    """Serve the one method of Cloud Build's API that creates a build; yield its address and its inbox."""
    posted: Posted = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            build = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posted.append((self.path, build))
            created = {**build, "id": "b-1", "status": "QUEUED", "projectId": "demo"}
            kind = "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata"
            operation = {"name": "operations/build/demo/b-1", "metadata": {"@type": kind, "build": created}}
            body = json.dumps(operation).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", posted
    server.shutdown()
    thread.join()
    server.server_close()


def gcloud() -> str:
    """Return the path of the real gcloud; where CI lacks it, that is a failure and no reason to skip."""
    path = shutil.which("gcloud")
    if not path and not os.environ.get("CI"):
        pytest.skip("gcloud is not installed")
    assert path, "CI is set and gcloud is not installed"
    return path


@pytest.mark.programs
@pytest.mark.loopback
@pytest.mark.parametrize("build_file", [FULL, PARTIAL], ids=["full", "partial"])
def test_gcloud_submits_it(build_file: Path, cloud_build: Tuple[str, Posted], tmp_path: Path) -> None:
    address, posted = cloud_build
    given = {
        "_BUILDER": "example.test/builder@sha256:" + "0" * 64,
        "_ENV": "staging",
        "_PLAN": "{}",
    }
    subprocess.run(
        [
            *(gcloud(), "builds", "submit", "--no-source", "--async", f"--config={build_file}"),
            "--substitutions=" + ",".join(f"{key}={value}" for key, value in given.items()),
        ],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
            "CLOUDSDK_CORE_PROJECT": "demo",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBUILD": address,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{address}storage/v1/",
        },
        check=True,
        capture_output=True,
        timeout=120,
    )
    (path, build) = posted[0]
    expected = read_build(build_file)
    assert path.startswith("/v1/projects/demo/locations/global/builds")
    assert build["steps"] == expected["steps"]
    assert build["options"] == expected["options"]
    assert build["timeout"] == expected["timeout"]
    assert build["substitutions"] == {**expected["substitutions"], **given}
    assert len(posted) == 1
