"""The faults that a deploy must name before it changes anything."""

import re

import pytest

from esteira.cloud.check import check_environment
from esteira.errors import GoogleError
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.refusal import disabled
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.loopback


def fault_of(scene):
    """Return what the checks say; they must have changed nothing."""
    before = scene.changes()
    with pytest.raises(GoogleError) as caught:
        check_environment(scene.settings, scene.api)
    assert scene.changes() == before
    return str(caught.value)


@pytest.fixture
def scene(make_scene):
    made = make_scene()
    made.apply()
    return made


def test_a_project_that_was_applied_passes_in_few_requests(scene):
    before = len(scene.stand_in.calls)
    check_environment(scene.settings, scene.api)
    assert sorted(call.method for call in scene.stand_in.calls[before:]) == [
        "artifactregistry.projects.locations.repositories.testIamPermissions",
        "cloudresourcemanager.projects.testIamPermissions",
        "iam.projects.serviceAccounts.testIamPermissions",
        "serviceusage.services.batchGet",
        "storage.buckets.get",
        "storage.buckets.testIamPermissions",
    ]


def test_a_wrong_project_is_named_alone(scene):
    place = scene.settings.environment.copy(update={"project": "demo-projet"})
    scene.settings = scene.settings.copy(update={"environments": {"dev": place}})
    assert fault_of(scene) == (
        'environments.dev.project: "demo-projet" does not exist, or you may not see it: Permission denied to get '
        "service for project [demo-projet].\n"
        "Expected the id of a project, not its name or number. To list yours: gcloud projects list    "
        "To see who asks: gcloud auth list\n"
        "If all is right, have an owner run: gcloud projects add-iam-policy-binding demo-projet "
        "--member=user:NAME@EXAMPLE.COM --role=roles/serviceusage.serviceUsageConsumer"
    )


def test_a_missing_gcloud_is_named(scene, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fault_of(scene) == (
        "ENV=dev: nothing was changed, since\n"
        "gcloud: no such program on the PATH; it submits builds. "
        "Install the Google Cloud CLI: https://cloud.google.com/sdk/docs/install"
    )


def test_a_missing_api_is_named(scene):
    scene.admin.usage.enabled.remove("artifactregistry.googleapis.com")
    assert fault_of(scene) == (
        "ENV=dev: nothing was changed, since\n"
        "API artifactregistry.googleapis.com is not enabled; it keeps the images. Run: make cloud-apply ENV=dev    "
        "Or: gcloud services enable artifactregistry.googleapis.com --project=demo-project"
    )


def test_expired_credentials_are_named_alone(scene):
    scene.stand_in.faults.add(Fault(".*", "expired", times=99))
    said = fault_of(scene)
    assert said.startswith("Google Cloud: cannot read which APIs are enabled: Request had invalid authentication")
    assert said.endswith("Log in: gcloud auth application-default login    Then run the command again.")


def test_a_login_whose_requests_count_for_another_project_is_named_alone(scene):
    def refuse(call):
        raise disabled(call.method.partition(".")[0], "764086051850")

    scene.stand_in.add({method: refuse for method in scene.stand_in.handlers})
    assert fault_of(scene).splitlines()[1:] == [
        "Requests count for the project 764086051850, not for demo-project. "
        "Run: gcloud auth application-default set-quota-project demo-project"
    ]
    scene.pauses.clear()
    with pytest.raises(GoogleError, match="Requests count for the project 764086051850"):
        scene.apply()
    assert scene.pauses == []


def test_a_missing_role_is_named(scene):
    scene.admin.lacking.update({"cloudbuild.builds.create", "iam.serviceAccounts.actAs"})
    assert fault_of(scene) == (
        "ENV=dev: nothing was changed, since\n"
        "you lack cloudbuild.builds.create (to submit the build) on project demo-project. Have an owner run: "
        "gcloud projects add-iam-policy-binding demo-project --member=user:NAME@EXAMPLE.COM "
        "--role=roles/cloudbuild.builds.editor\n"
        "you lack iam.serviceAccounts.actAs (to start builds that act as it) on service account "
        "esteira-build@demo-project.iam.gserviceaccount.com. Have an owner run: gcloud iam service-accounts "
        "add-iam-policy-binding esteira-build@demo-project.iam.gserviceaccount.com "
        "--member=user:NAME@EXAMPLE.COM --role=roles/iam.serviceAccountUser"
    )


def test_a_bucket_in_another_region_is_named(make_scene):
    scene = make_scene(bucket="old-bucket")
    scene.apply()
    scene.buckets.put("demo-bucket", "us-central1")
    place = scene.settings.environment.copy(update={"bucket": "demo-bucket"})
    scene.settings = scene.settings.copy(update={"environments": {"dev": place}})
    assert fault_of(scene) == (
        "ENV=dev: nothing was changed, since\n"
        "bucket demo-bucket: location: is us-central1, wanted europe-west1. A bucket cannot be moved. Name another one "
        "in esteira.toml, environments.dev.bucket, or set environments.dev.region to where it is"
    )


def test_a_bucket_that_may_not_be_read_is_told_with_what_else_is_lacking(scene):
    scene.buckets.lacking.update({"storage.buckets.get", "storage.objects.create", "storage.objects.list"})
    assert fault_of(scene) == (
        "ENV=dev: nothing was changed, since\n"
        "you lack storage.buckets.get (to ask where it is) on bucket demo-bucket. Have an owner run: gcloud storage "
        "buckets add-iam-policy-binding gs://demo-bucket --member=user:NAME@EXAMPLE.COM "
        "--role=roles/storage.legacyBucketReader\n"
        "you lack storage.objects.create (to write releases), storage.objects.list (to list releases) on bucket "
        "demo-bucket. Have an owner run: gcloud storage buckets add-iam-policy-binding gs://demo-bucket "
        "--member=user:NAME@EXAMPLE.COM --role=roles/storage.objectUser"
    )


def test_all_faults_are_named_at_once(make_scene):
    scene = make_scene()
    scene.admin.usage.enabled.update({"iam.googleapis.com", "cloudresourcemanager.googleapis.com"})
    scene.admin.lacking.add("cloudbuild.builds.create")
    said = fault_of(scene).splitlines()
    assert said[0] == "ENV=dev: nothing was changed, since"
    assert said[1].startswith("API aiplatform.googleapis.com is not enabled")
    assert [line for line in said[1:] if not line.startswith("API ")] == [
        "bucket demo-bucket is not there. Run: make cloud-apply ENV=dev",
        "you lack cloudbuild.builds.create (to submit the build) on project demo-project. Have an owner run: "
        "gcloud projects add-iam-policy-binding demo-project --member=user:NAME@EXAMPLE.COM "
        "--role=roles/cloudbuild.builds.editor",
        "service account esteira-build@demo-project.iam.gserviceaccount.com is not there. "
        "Run: make cloud-apply ENV=dev",
    ]


def test_a_server_that_is_busy_is_asked_again(scene):
    scene.stand_in.faults.add(Fault("serviceusage.*", "unavailable"))
    check_environment(scene.settings, scene.api)


def test_only_who_submits_asks_as_builds_may_not():
    """The account of builds may ask which APIs are enabled only where GitHub's workflows submit as it."""
    paths = (REPOSITORY / "esteira").rglob("*.py")
    found = {path.relative_to(REPOSITORY).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    outside = {name: text for name, text in found.items() if not name.startswith("esteira/cloud/")}
    # Which only say where mirrors are, and what a person types to give a role.
    asking = re.compile(r"from esteira\.cloud\.(?!mirror |grant )")
    assert [name for name, text in outside.items() if asking.search(text)] == ["esteira/deploy/remote.py"]
    assert "esteira.deploy.remote" not in found["esteira/steps.py"]
