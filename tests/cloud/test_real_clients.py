"""What apply has made, as Google's own clients read it."""

import json
import os

import pytest

from esteira.process import run_program

pytestmark = [pytest.mark.loopback, pytest.mark.programs]


@pytest.fixture
def ask(make_scene, tmp_path):
    """Return a function that runs a client against a project that was applied, and returns its JSON."""
    scene = make_scene(github="octo/esteira")
    scene.apply()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": "demo-project",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        **scene.stand_in.variables(),
    }

    def run(*command):
        return json.loads(run_program(command, env=environ, timeout_s=120))

    return run


def test_gcloud_reads_the_service_accounts(ask):
    accounts = ask("gcloud", "iam", "service-accounts", "list", "--format=json")
    assert [account["email"] for account in accounts] == [
        "esteira-build@demo-project.iam.gserviceaccount.com",
        "esteira-run@demo-project.iam.gserviceaccount.com",
    ]


def test_gcloud_reads_the_repository(ask):
    place = "--location=europe-west1"
    found = ask("gcloud", "artifacts", "repositories", "describe", "images", place, "--format=json")
    assert (found["format"], found["labels"]["managed-by"]) == ("DOCKER", "esteira")


def test_gcloud_reads_who_may_use_the_project(ask):
    policy = ask("gcloud", "projects", "get-iam-policy", "demo-project", "--format=json")
    roles = {binding["role"]: binding["members"] for binding in policy["bindings"]}
    assert roles["roles/cloudbuild.builds.editor"] == [
        "serviceAccount:esteira-build@demo-project.iam.gserviceaccount.com"
    ]


def test_gcloud_reads_the_identity_provider(ask):
    found = ask(
        *("gcloud", "iam", "workload-identity-pools", "providers", "describe", "github"),
        *("--workload-identity-pool=esteira", "--location=global", "--format=json"),
    )
    assert found["attributeCondition"] == "assertion.repository == 'octo/esteira'"
    assert found["oidc"] == {"issuerUri": "https://token.actions.githubusercontent.com"}


def test_gcloud_reads_the_bucket(ask):
    found = ask("gcloud", "storage", "buckets", "describe", "gs://demo-bucket", "--format=json")
    assert (found["location"], found["versioning_enabled"]) == ("EUROPE-WEST1", True)
    assert (found["uniform_bucket_level_access"], found["public_access_prevention"]) == (True, "enforced")
