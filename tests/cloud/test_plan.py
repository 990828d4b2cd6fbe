import json

import pytest
from rich.console import Console

from esteira.cloud.front import cloud_plan
from esteira.cloud.plan import make_plan
from esteira.cloud.plan_view import show_plan
from esteira.errors import GoogleError, SettingsError
from esteira.local.cloud.faults import Fault
from tests.cloud.conftest import said

pytestmark = pytest.mark.loopback


def test_a_fresh_project_lacks_everything_and_nothing_is_changed(make_scene):
    scene = make_scene(github="octo/esteira")
    rows = scene.rows()
    assert rows[0] == "missing API aiplatform.googleapis.com"
    assert {
        "missing service account esteira-build@demo-project.iam.gserviceaccount.com",
        "missing bucket demo-bucket",
        "missing repository images",
        "missing table esteira.request_log",
        "missing table esteira.deployed_models",
        "missing table esteira.ground_truth",
        "missing identity provider esteira/github",
        "missing role esteira-build: roles/aiplatform.user on project demo-project",
        "missing role service-123456789012: roles/artifactregistry.reader on repository images",
        "missing role github:octo/esteira: roles/iam.workloadIdentityUser on service account esteira-build",
    } <= set(rows)
    assert scene.changes() == []


def test_a_plan_asks_nothing_of_an_api_that_is_not_enabled(make_scene):
    scene = make_scene()
    scene.rows()
    assert {call.method.partition(".")[0] for call in scene.stand_in.calls} == {"serviceusage", "storage"}


def test_after_apply_the_plan_has_nothing_to_do(make_scene):
    scene = make_scene(github="octo/esteira")
    scene.apply()
    assert scene.rows() == []
    assert said(lambda console: console.print(show_plan(make_plan(scene.settings, scene.api), "table"))).endswith(
        "\n43 ok. Nothing to do.\n"
    )


@pytest.mark.parametrize(
    ("change", "row", "detail"),
    [
        (
            lambda scene: scene.buckets.resources["demo-bucket"].update(versioning={"enabled": False}),
            "different bucket demo-bucket",
            "versioning.enabled: is off, wanted on",
        ),
        (
            lambda scene: scene.buckets.resources["demo-bucket"]["iamConfiguration"].update(
                publicAccessPrevention="inherited"
            ),
            "different bucket demo-bucket",
            "iamConfiguration.publicAccessPrevention: is inherited, wanted enforced",
        ),
        (
            lambda scene: next(iter(scene.admin.repositories.kept.values())).update(cleanupPolicies={"old": {}}),
            "different repository images",
            "cleanupPolicies: is old, wanted nothing",
        ),
        (
            lambda scene: scene.admin.warehouse.tables["esteira.request_log"]["timePartitioning"].pop("expirationMs"),
            "different table esteira.request_log",
            "timePartitioning.expirationMs: is nothing, wanted 15552000000",
        ),
        (
            lambda scene: scene.admin.warehouse.tables["esteira.request_log"]["schema"]["fields"].pop(3),
            "different table esteira.request_log",
            "column request_id: is nothing, wanted NUMERIC NULLABLE",
        ),
        (
            lambda scene: scene.admin.identities.kept[
                "projects/123456789012/locations/global/workloadIdentityPools/esteira/providers/github"
            ].update(attributeCondition="true"),
            "different identity provider esteira/github",
            "attributeCondition: is true, wanted assertion.repository == 'octo/esteira'",
        ),
        (
            lambda scene: scene.admin.usage.enabled.remove("sts.googleapis.com"),
            "missing API sts.googleapis.com",
            "",
        ),
        (
            lambda scene: scene.admin.policies.kept.pop("demo-project"),
            "missing role esteira-build: roles/logging.logWriter on project demo-project",
            "",
        ),
        (
            lambda scene: scene.admin.policies.add(
                "demo-project",
                "roles/owner",
                "serviceAccount:esteira-run@demo-project.iam.gserviceaccount.com",
            ),
            "superfluous role esteira-run: roles/owner on project demo-project",
            "",
        ),
        (
            lambda scene: scene.admin.warehouse.datasets["esteira"]["access"].pop(),
            "missing role service-123456789012: WRITER on dataset esteira",
            "",
        ),
    ],
)
def test_a_change_by_hand_is_shown_and_mended(make_scene, change, row, detail):
    scene = make_scene(github="octo/esteira")
    scene.apply()
    whole = scene.state()
    change(scene)
    found = {f"{each.state} {each.kind} {each.name}": each for each in make_plan(scene.settings, scene.api).rows}
    assert found[row].detail == detail
    scene.apply()
    assert scene.rows() == []
    assert scene.state() == whole


def test_who_runs_may_write_to_the_dataset_while_containers_log_and_no_longer(make_scene):
    scene = make_scene()
    scene.apply()
    settings, role = scene.settings, "role esteira-run: WRITER on dataset esteira"
    scene.settings = settings.copy(update={"log": settings.log.copy(update={"text": "hash"})})
    assert scene.rows() == [f"missing {role}"]
    scene.apply()
    assert scene.rows() == []
    scene.settings = settings
    assert scene.rows() == [f"superfluous {role}"]
    scene.apply()
    assert scene.rows() == []


def test_what_vertex_ai_adds_to_the_table_and_people_add_to_labels_is_no_difference(make_scene):
    scene = make_scene()
    scene.apply()
    table = scene.admin.warehouse.tables["esteira.request_log"]
    table["schema"]["fields"].append({"name": "model_version", "type": "STRING", "mode": "NULLABLE"})
    table["labels"]["team"] = "news"
    assert scene.rows() == []


def test_a_bucket_that_is_not_ours_is_left_as_it_is(make_scene):
    scene = make_scene()
    scene.buckets.put("demo-bucket")
    scene.apply()
    assert "versioning" not in scene.buckets.resources["demo-bucket"]
    (row,) = [row for row in make_plan(scene.settings, scene.api).rows if row.kind == "bucket"]
    assert row.state == "ok"
    assert row.detail.startswith("not made by Esteira, so left as it is: iamConfiguration.uniformBucketLevelAccess")


def test_what_the_settings_name_no_longer_is_superfluous(make_scene):
    scene = make_scene(bucket="old-bucket", repository="old", dataset="old", github="octo/esteira")
    scene.apply()
    places = {"bucket": "demo-bucket", "repository": "images", "dataset": "esteira", "github": ""}
    place = scene.settings.environment.copy(update=places)
    scene.settings = scene.settings.copy(update={"environments": {"dev": place}})
    assert [row for row in scene.rows() if row.startswith("superfluous")] == [
        "superfluous role esteira-build: roles/cloudbuild.builds.editor on project demo-project",
        "superfluous role esteira-build: roles/serviceusage.serviceUsageConsumer on project demo-project",
        "superfluous role esteira-build: roles/iam.serviceAccountUser on service account esteira-build",
        "superfluous role github:octo/esteira: roles/iam.workloadIdentityUser on service account esteira-build",
        "superfluous bucket old-bucket",
        "superfluous repository old",
        "superfluous dataset old",
        "superfluous identity pool esteira",
    ]
    scene.apply()
    assert scene.rows() == [
        "superfluous bucket old-bucket",
        "superfluous repository old",
        "superfluous dataset old",
        "superfluous identity pool esteira",
    ]
    rows = make_plan(scene.settings, scene.api).rows
    assert [row.remedy for row in rows if row.state == "superfluous"] == [
        "Run: gcloud storage rm --recursive gs://old-bucket",
        "Run: gcloud artifacts repositories delete old --project=demo-project --location=europe-west1",
        "Run: bq rm -r -d demo-project:old",
        "Run: gcloud iam workload-identity-pools delete esteira --project=demo-project --location=global",
    ]


def test_a_plan_is_json_for_programs(make_scene):
    scene = make_scene()
    shown = json.loads(show_plan(make_plan(scene.settings, scene.api), "json"))
    assert shown["project_number"] == "123456789012"
    assert {
        "state": "missing",
        "kind": "bucket",
        "name": "demo-bucket",
        "why": "releases, their parts, the source of builds, the pipeline's artifacts and models",
    } in shown["rows"]


def test_an_unknown_format_is_refused(make_scene):
    scene = make_scene()
    with pytest.raises(SettingsError, match="FORMAT=yaml: expected table or json. Run: make cloud-plan FORMAT=json"):
        show_plan(make_plan(scene.settings, scene.api), "yaml")


def test_a_project_that_is_not_there_is_named(make_scene):
    scene = make_scene(project="other-project")
    with pytest.raises(GoogleError) as caught:
        scene.rows()
    assert str(caught.value) == (
        'environments.dev.project: "other-project" does not exist, or you may not see it: Permission denied to get '
        "service for project [other-project].\n"
        "Expected the id of a project, not its name or number. To list yours: gcloud projects list    "
        "To see who asks: gcloud auth list\n"
        "If all is right, have an owner run: gcloud projects add-iam-policy-binding other-project "
        "--member=user:NAME@EXAMPLE.COM --role=roles/serviceusage.serviceUsageConsumer"
    )


def test_a_plan_survives_a_server_that_is_busy(make_scene):
    scene = make_scene()
    for kind in ("busy", "unavailable", "reset", "lost"):
        scene.stand_in.faults.add(Fault("serviceusage.*", kind))
    assert "missing bucket demo-bucket" in scene.rows()
    assert len(scene.pauses) == 4


def test_the_environment_local_has_no_plan(settings):
    with pytest.raises(SettingsError) as caught:
        cloud_plan(settings, "table")
    assert str(caught.value).startswith("ENV=local: the environment local is in no project. Expected one of Google")
    assert str(caught.value).endswith("Run: make cloud-plan ENV=name")


def test_the_table_shows_what_differs(make_scene):
    scene = make_scene()
    scene.apply()
    scene.buckets.resources["demo-bucket"]["versioning"] = {"enabled": False}
    console = Console(width=300, record=True)
    console.print(show_plan(make_plan(scene.settings, scene.api), "table"))
    lines = console.export_text().splitlines()
    assert next(line.split() for line in lines if "demo-bucket" in line) == (
        ["~", "different", "bucket", "demo-bucket", "versioning.enabled:", "is", "off,", "wanted", "on"]
    )
    assert lines[-1].startswith("1 different, ")
