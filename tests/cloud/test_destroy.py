import pytest

from esteira.errors import GoogleError
from esteira.local.cloud.endpoints import Endpoints
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.numbers import PROJECT_NUMBER

pytestmark = pytest.mark.loopback

REMOVALS = r".*\.delete|.*\.setIamPolicy"


def test_destroy_removes_what_we_made_and_nothing_else(make_scene):
    scene = make_scene(github="octo/esteira")
    scene.apply()
    scene.buckets.put("other-bucket", labels={"managed-by": "terraform"})
    scene.admin.warehouse.put_dataset("other")
    scene.admin.repositories.put("projects/demo-project/locations/europe-west1/repositories/other")
    scene.admin.accounts.put("other@demo-project.iam.gserviceaccount.com")
    scene.admin.policies.add("demo-project", "roles/owner", "user:owner@example.com")
    assert scene.destroy() == "".join(
        f"{sign} {name}\n"
        for sign in ("-", "removed")
        for name in (
            "role esteira-build: roles/aiplatform.user on project demo-project",
            "role esteira-run: roles/aiplatform.user on project demo-project",
            "role esteira-build: roles/logging.logWriter on project demo-project",
            "role esteira-run: roles/logging.logWriter on project demo-project",
            "role esteira-build: roles/logging.viewer on project demo-project",
            "role esteira-build: roles/bigquery.jobUser on project demo-project",
            "role esteira-build: roles/cloudbuild.builds.editor on project demo-project",
            "role esteira-build: roles/serviceusage.serviceUsageConsumer on project demo-project",
            "identity provider esteira/github",
            "identity pool esteira",
            "dataset esteira",
            "repository images",
            "bucket demo-bucket",
            "service account esteira-run@demo-project.iam.gserviceaccount.com",
            "service account esteira-build@demo-project.iam.gserviceaccount.com",
        )
    )
    assert list(scene.buckets.resources) == ["other-bucket"]
    assert list(scene.admin.warehouse.datasets) == ["other"]
    assert list(scene.admin.repositories.kept) == ["projects/demo-project/locations/europe-west1/repositories/other"]
    assert list(scene.admin.accounts.kept) == ["other@demo-project.iam.gserviceaccount.com"]
    assert scene.admin.policies.roles("demo-project") == {"user:owner@example.com roles/owner"}
    assert "storage.googleapis.com" in scene.admin.usage.enabled


def test_what_we_did_not_make_loses_our_roles_only(make_scene):
    scene = make_scene()
    scene.buckets.put("demo-bucket")
    before = scene.state()["bucket policies"]
    scene.apply()
    assert "- role esteira-run: roles/storage.objectUser on bucket demo-bucket\n" in scene.destroy()
    assert scene.state()["bucket policies"] == before


def test_data_is_lost_only_by_force(make_scene):
    scene = make_scene()
    scene.apply()
    scene.objects["demo-bucket"] = ["sentiment/current", "sentiment/releases/1/release.json"]
    scene.admin.warehouse.tables["esteira.request_log"].update(numRows="1200", streamingBuffer={"estimatedRows": "34"})
    next(iter(scene.admin.repositories.kept.values()))["sizeBytes"] = "1234567890"
    before = scene.state()
    with pytest.raises(GoogleError) as caught:
        scene.destroy()
    assert str(caught.value) == (
        "Nothing was removed: this would be lost.\n"
        "dataset esteira: request_log with 1,234 rows\n"
        "repository images: images of 1.2 GB\n"
        "bucket demo-bucket: 2 objects, old versions included\n"
        "To remove it all the same: make cloud-destroy ENV=dev FORCE=1"
    )
    assert scene.state() == before
    scene.destroy(force=True)
    assert scene.buckets.resources == {}
    assert scene.objects["demo-bucket"] == []


def test_nothing_is_removed_unless_a_person_types_the_name(make_scene):
    scene = make_scene()
    scene.apply()
    before = scene.state()
    assert scene.destroy(yes=False).endswith("Nothing was removed. To remove it: make cloud-destroy ENV=dev YES=1\n")
    assert scene.state() == before


def test_what_another_environment_needs_stays(make_scene):
    scene = make_scene(others={"staging": {"bucket": "staging-bucket"}})
    scene.apply()
    scene.settings = scene.settings.copy(update={"selected": "staging"})
    scene.apply()
    said = scene.destroy()
    assert said == "- bucket staging-bucket\nremoved bucket staging-bucket\n"
    scene.settings = scene.settings.copy(update={"selected": "dev"})
    assert scene.rows() == []


def test_there_is_nothing_to_remove_twice(make_scene):
    scene = make_scene()
    scene.apply()
    scene.destroy()
    assert scene.destroy() == "Nothing to remove: nothing in demo-project was made for this environment.\n"


def test_a_removal_that_ended_anywhere_is_finished_by_the_next(make_scene):
    whole = make_scene(github="octo/esteira")
    whole.apply()
    before = len(whole.changes())
    whole.destroy()
    for skip in range(len(whole.changes()) - before):
        scene = make_scene(github="octo/esteira")
        scene.apply()
        scene.stand_in.faults.add(Fault(REMOVALS, "denied", skip=skip))
        with pytest.raises(GoogleError):
            scene.destroy()
        scene.destroy()
        assert scene.state() == whole.state()


@pytest.mark.parametrize("kind", ["unavailable", "reset", "lost"])
def test_a_fault_in_passing_is_survived(make_scene, kind):
    whole = make_scene(github="octo/esteira")
    whole.apply()
    before = len(whole.changes())
    whole.destroy()
    for skip in range(len(whole.changes()) - before):
        scene = make_scene(github="octo/esteira")
        scene.apply()
        scene.stand_in.faults.add(Fault(REMOVALS, kind, skip=skip))
        scene.destroy()
        assert scene.state() == whole.state()


def test_what_releases_have_made_on_vertex_ai_goes_too(make_scene):
    scene = make_scene()
    scene.apply()
    vertex = Endpoints(start=lambda model: lambda body: (200, b"{}"))
    place = f"projects/{PROJECT_NUMBER}/locations/europe-west1"
    labels = {"managed-by": "esteira", "pipeline": "sentiment"}
    served = {"id": "1", "displayName": "r1"}, {"id": "2", "displayName": "r2"}
    for name, found in {"sentiment-dev": {**labels, "environment": "dev"}, "other": {}}.items():
        vertex.known[f"{place}/endpoints/{name}"] = {
            "name": f"{place}/endpoints/{name}",
            "labels": found,
            "deployedModels": list(served),
            "trafficSplit": {"1": 100},
        }
    for environment in ("dev", "prod"):
        name, found = f"sentiment-{environment}", {**labels, "environment": environment}
        version = {"name": f"{place}/models/{name}", "labels": found, "versionId": "1", "versionAliases": ["default"]}
        vertex.models.known[f"{place}/models/{name}"] = [version]

    def remove(call):
        name = call.parameters["name"]
        kept = vertex.known if "/endpoints/" in name else vertex.models.known
        return vertex.operations.begin(name, "Delete", lambda: kept.pop(name) and {})

    scene.stand_in.add(vertex.handlers())
    for kind in ("endpoints", "models"):
        scene.stand_in.add({f"aiplatform.projects.locations.{kind}.delete": remove})
    with pytest.raises(GoogleError) as caught:
        scene.destroy()
    assert "\nendpoint sentiment-dev with 2 deployed models\n" in str(caught.value)
    said = scene.destroy(force=True)
    assert "removed endpoint sentiment-dev\nremoved model sentiment-dev\n" in said
    assert [call.body["deployedModelId"] for call in scene.stand_in.calls if call.method.endswith("undeployModel")] == [
        "2",
        "1",
    ]
    assert list(vertex.known) == [f"{place}/endpoints/other"]
    assert list(vertex.models.known) == [f"{place}/models/sentiment-prod"]
