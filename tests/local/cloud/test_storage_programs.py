"""Google's own programs, with the stand-in of Cloud Storage."""

import base64
import hashlib
import os
import subprocess
from pathlib import Path
from typing import Callable, Dict

import pytest

from esteira.local.cloud.faults import Fault
from esteira.local.cloud.server import Call, StandIn
from esteira.settings import Environment
from tests.google.server import make_certificate, served_over_tls
from tests.programs import require_program

pytestmark = [pytest.mark.loopback, pytest.mark.programs]
TIMEOUT_S = 120
GCLOUD = ["gcloud", "storage"]
# As Google advises: gsutil's commands, done by gcloud.
GSUTIL = ["gsutil", "-o", "GSUtil:use_gcloud_storage=True"]

Run = Callable[..., str]


@pytest.fixture
def run(stand_in: StandIn, tmp_path: Path) -> Run:
    """Return a function that runs one of Google's programs and returns what it writes."""
    environ = {
        **stand_in.variables(),
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": "demo-project",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PASS_CREDENTIALS_TO_GSUTIL": "false",
    }

    def run(*command: str) -> str:
        require_program(command[0], "google-cloud-cli")
        done = subprocess.run(
            command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=TIMEOUT_S
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize(
    ("program", "size_bytes"),
    [(GCLOUD, 6), (GCLOUD, 9 << 20), (GSUTIL, 9 << 20)],
    ids=["gcloud, small", "gcloud, large", "gsutil"],
)
def test_files_are_copied_to_and_fro(
    run: Run, environment: Environment, tmp_path: Path, program: "list[str]", size_bytes: int
) -> None:
    content = os.urandom(size_bytes)
    (tmp_path / "here").write_bytes(content)
    place = f"gs://{environment.bucket}/a folder/there"
    run(*program, "cp", str(tmp_path / "here"), place)
    assert run(*program, "ls", f"gs://{environment.bucket}/a folder/") == f"{place}\n"
    run(*program, "cp", place, str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == content


def test_gsutil_itself_copies_files_over_tls(
    run: Run, stand_in: StandIn, environment: Environment, tmp_path: Path
) -> None:
    """It speaks to nothing else, and heeds none of gcloud's variables."""
    (tmp_path / "here").write_bytes(os.urandom(9 << 20))
    certificate = make_certificate(tmp_path)
    with served_over_tls(StandIn(stand_in.handlers, stand_in.paths), certificate) as behind_tls:
        place = {
            "Credentials:gs_json_host": "127.0.0.1",
            "Credentials:gs_json_port": behind_tls.url.rstrip("/").rpartition(":")[2],
            "Boto:ca_certificates_file": str(tmp_path / "certificate.pem"),
        }
        gsutil = ["gsutil", *(word for name, value in place.items() for word in ("-o", f"{name}={value}"))]
        run(*gsutil, "cp", str(tmp_path / "here"), f"gs://{environment.bucket}/there")
        assert run(*gsutil, "ls", f"gs://{environment.bucket}/") == f"gs://{environment.bucket}/there\n"
        run(*gsutil, "cp", f"gs://{environment.bucket}/there", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "here").read_bytes()


def test_a_bucket_is_described_changed_and_removed(run: Run, stand_in: StandIn) -> None:
    bucket = "gs://demo-bucket-new"
    run("gcloud", "storage", "buckets", "create", bucket, "--location=europe-west1", "--uniform-bucket-level-access")
    run("gcloud", "storage", "buckets", "update", bucket, "--versioning", "--update-labels=made-by=esteira")
    member = "--member=user:developer@example.com"
    run("gcloud", "storage", "buckets", "add-iam-policy-binding", bucket, member, "--role=roles/storage.objectAdmin")
    template = "--format=value(location,uniform_bucket_level_access,versioning_enabled,labels.made-by,metageneration)"
    assert run("gcloud", "storage", "buckets", "describe", bucket, template) == "EUROPE-WEST1\tTrue\tTrue\testeira\t2\n"
    shown = run("gcloud", "storage", "buckets", "get-iam-policy", bucket, "--format=value(bindings.role.list())")
    assert shown == ("roles/storage.legacyBucketOwner,roles/storage.legacyBucketReader,roles/storage.objectAdmin\n")
    run("gcloud", "storage", "buckets", "delete", bucket)
    assert bucket not in run("gcloud", "storage", "ls")


def test_a_build_s_source_is_uploaded(run: Run, stand_in: StandIn, environment: Environment, tmp_path: Path) -> None:
    def create(call: Call) -> Dict[str, object]:
        build = {**call.body, "id": "b-1", "status": "QUEUED", "projectId": "demo-project"}
        kind = "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata"
        return {"name": "operations/build/demo-project/b-1", "metadata": {"@type": kind, "build": build}}

    source, config = tmp_path / "source.tgz", tmp_path / "build.yaml"
    subprocess.run(["tar", "-czf", str(source), "-C", str(tmp_path), "--files-from", "/dev/null"], check=True)
    config.write_text("steps:\n- name: builder\n  args: ['true']\noptions:\n  logging: CLOUD_LOGGING_ONLY\n")
    method = "cloudbuild.projects.locations.builds.create"
    stand_in.add({method: create})
    staging = f"--gcs-source-staging-dir=gs://{environment.bucket}/source"
    run("gcloud", "builds", "submit", str(source), "--async", f"--config={config}", staging)
    (build,) = stand_in.called(method)
    told = build.body["source"]["storageSource"]
    (upload,) = stand_in.called("storage.objects.insert")
    assert told["bucket"] == environment.bucket
    assert told["object"].startswith("source/")
    assert told["generation"].isdigit()
    assert source.read_bytes() in upload.content
    (looked,) = stand_in.called("storage.buckets.get")
    assert looked.parameters["bucket"] == environment.bucket


def test_an_upload_meets_the_faults_that_are_told(
    run: Run, stand_in: StandIn, environment: Environment, tmp_path: Path
) -> None:
    stand_in.faults.add(Fault("storage.objects.insert", "unavailable"))
    (tmp_path / "here").write_text("hello\n")
    place = f"gs://{environment.bucket}/there"
    run("gcloud", "storage", "cp", str(tmp_path / "here"), place)
    assert len(stand_in.called("storage.objects.insert")) == 2
    assert run("gcloud", "storage", "cat", place) == "hello\n"
    digest = base64.b64encode(hashlib.md5(b"hello\n").digest()).decode()
    assert digest in run("gcloud", "storage", "objects", "describe", place, "--format=value(md5_hash)")
