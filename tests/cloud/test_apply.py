import pytest

from esteira.errors import GoogleError
from esteira.local.cloud.faults import Fault

pytestmark = pytest.mark.loopback

CHANGES = r".*\.(create|insert|patch|setIamPolicy|batchEnable|generateServiceIdentity|undelete)"
POOL = "projects/123456789012/locations/global/workloadIdentityPools/esteira"
BUILD = "esteira-build@demo-project.iam.gserviceaccount.com"


@pytest.fixture
def whole(make_scene):
    """What an undisturbed apply ends in, and how many changes it took."""
    scene = make_scene(github="octo/esteira")
    scene.apply()
    return scene.state(), len(scene.changes())


def test_apply_makes_each_thing_once(make_scene):
    scene = make_scene()
    said = scene.apply()
    assert f"made service account {BUILD}\n" in said
    assert "made bucket demo-bucket\n" in said
    bucket = scene.buckets.resources["demo-bucket"]
    assert bucket["location"] == "EUROPE-WEST1"
    assert bucket["labels"] == {"managed-by": "esteira", "environment": "dev", "pipeline": "sentiment"}
    assert bucket["iamConfiguration"] == {
        "uniformBucketLevelAccess": {"enabled": True},
        "publicAccessPrevention": "enforced",
    }
    before = scene.changes()
    assert scene.apply() == "37 ok. Nothing to do.\n"
    assert scene.changes() == before


def test_apply_says_what_githubs_workflow_needs(make_scene):
    provider = "projects/123456789012/locations/global/workloadIdentityPools/esteira/providers/github"
    assert (
        make_scene(github="octo/esteira")
        .apply()
        .endswith(
            "So that a push to octo/esteira deploys to dev, set these variables there. "
            "No secret is needed (docs/how-to/github.md):\n"
            "  gh variable set ESTEIRA_ENV --body dev --repo octo/esteira\n"
            f"  gh variable set ESTEIRA_WORKLOAD_IDENTITY_PROVIDER --body {provider} --repo octo/esteira\n"
            f"  gh variable set ESTEIRA_SERVICE_ACCOUNT --body {BUILD} --repo octo/esteira\n"
        )
    )


def test_nothing_is_changed_unless_a_person_agrees(make_scene):
    scene = make_scene()
    said = scene.apply(yes=False)
    assert said.endswith("Nothing was changed. To do it: make cloud-apply ENV=dev YES=1\n")
    assert scene.changes() == []


@pytest.mark.parametrize("kind", ["unavailable", "reset", "lost"])
def test_a_fault_at_any_change_makes_nothing_twice(make_scene, whole, kind):
    """Each change in turn meets the fault; the state is that of an undisturbed apply."""
    state, changes = whole
    for skip in range(changes):
        scene = make_scene(github="octo/esteira")
        scene.stand_in.faults.add(Fault(CHANGES, kind, skip=skip))
        scene.apply()
        assert scene.stand_in.faults.waiting == []
        assert scene.state() == state


def test_an_apply_that_ended_anywhere_is_finished_by_the_next(make_scene, whole):
    state, changes = whole
    for skip in range(changes):
        scene = make_scene(github="octo/esteira")
        scene.stand_in.faults.add(Fault(CHANGES, "denied", skip=skip))
        with pytest.raises(GoogleError):
            scene.apply()
        scene.apply()
        assert scene.state() == state


def test_a_new_account_that_is_not_known_everywhere_yet_is_waited_for(make_scene, whole):
    scene = make_scene(github="octo/esteira")
    scene.admin.accounts.unknown_for = 3
    scene.apply()
    assert scene.state() == whole[0]
    assert scene.pauses.count(1.0) >= 1


def test_an_api_that_is_not_ready_yet_is_waited_for(make_scene):
    scene = make_scene()
    scene.stand_in.faults.add(Fault(r"artifactregistry\..*create", "disabled", times=2))
    scene.apply()
    assert scene.rows() == []


def test_roles_of_others_stay_and_so_do_conditions(make_scene):
    scene = make_scene()
    condition = {"title": "office hours", "expression": "request.time.getHours() < 18"}
    scene.admin.policies.add("demo-project", "roles/owner", "user:owner@example.com")
    scene.admin.policies.add("demo-project", "roles/aiplatform.user", "user:owner@example.com")
    scene.admin.policies.add("demo-project", "roles/viewer", "user:guest@example.com", condition=condition)
    scene.apply()
    bindings = scene.admin.policies.get("demo-project")["bindings"]
    assert {"role": "roles/viewer", "members": ["user:guest@example.com"], "condition": condition} in bindings
    roles = scene.admin.policies.roles("demo-project")
    assert "user:owner@example.com roles/owner" in roles
    assert "user:owner@example.com roles/aiplatform.user" in roles
    assert f"serviceAccount:{BUILD} roles/aiplatform.user" in roles


def test_a_policy_that_somebody_else_changes_meanwhile_is_read_again(make_scene):
    scene = make_scene()
    original, added = scene.stand_in.handlers["cloudresourcemanager.projects.setIamPolicy"], []

    def interfere(call):
        if not added:
            added.append(True)
            scene.admin.policies.add("demo-project", "roles/owner", "user:owner@example.com")
        return original(call)

    scene.stand_in.add({"cloudresourcemanager.projects.setIamPolicy": interfere})
    scene.apply()
    assert "user:owner@example.com roles/owner" in scene.admin.policies.roles("demo-project")
    assert scene.rows() == []


def test_a_datasets_other_readers_stay(make_scene):
    scene = make_scene()
    scene.admin.usage.enabled.add("bigquery.googleapis.com")
    others = [
        {"role": "READER", "userByEmail": "analyst@example.com"},
        {"view": {"projectId": "demo-project", "datasetId": "other", "tableId": "view"}},
        {"role": "READER", "iamMember": "domain:example.com"},
    ]
    scene.admin.warehouse.put_dataset("esteira", access=list(others))
    scene.apply()
    access = scene.admin.warehouse.datasets["esteira"]["access"]
    assert {"role": "READER", "userByEmail": "analyst@example.com"} in access
    assert others[1] in access
    assert others[2] in access
    assert {"role": "WRITER", "userByEmail": "esteira-build@demo-project.iam.gserviceaccount.com"} in access


@pytest.mark.parametrize("labels", [{}, {"managed-by": "esteira"}])
def test_a_datasets_conditions_stay(make_scene, labels):
    """Both writes, that of its labels and that of its access, are of a dataset that has a condition."""
    scene = make_scene()
    scene.admin.usage.enabled.add("bigquery.googleapis.com")
    condition = {"title": "this year", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}
    entry = {"role": "READER", "userByEmail": "analyst@example.com", "condition": condition}
    own = {"role": "OWNER", "userByEmail": "esteira-run@demo-project.iam.gserviceaccount.com", "condition": condition}
    scene.admin.warehouse.put_dataset("esteira", access=[entry, own], labels=labels)
    scene.apply()
    builds = {"role": "WRITER", "userByEmail": "esteira-build@demo-project.iam.gserviceaccount.com"}
    access = scene.admin.warehouse.datasets["esteira"]["access"]
    assert access[:2] == [entry, own]
    assert builds in access
    assert scene.rows() == []
    if not labels:
        scene.destroy(force=True)
        access = scene.admin.warehouse.datasets["esteira"]["access"]
        assert access[:2] == [entry, own]
        assert builds not in access


def test_a_bucket_elsewhere_is_refused_before_anything_is_changed(make_scene):
    scene = make_scene()
    scene.buckets.put("demo-bucket", "us-central1")
    with pytest.raises(GoogleError) as caught:
        scene.apply()
    assert str(caught.value) == (
        "Nothing was changed. bucket demo-bucket: location: is us-central1, wanted europe-west1\n"
        "A bucket cannot be moved. Name another one in esteira.toml, environments.dev.bucket, or set "
        "environments.dev.region to where it is"
    )
    assert scene.changes() == []


def test_a_secret_is_a_persons_to_make(make_scene):
    scene = make_scene()
    build = scene.settings.build.copy(update={"secrets": "INDEX_TOKEN=index-token/3"})
    scene.settings = scene.settings.copy(update={"build": build})
    with pytest.raises(GoogleError) as caught:
        scene.apply()
    assert str(caught.value) == (
        "Left for you:\n"
        "secret index-token: missing\n"
        "Run: gcloud secrets create index-token --project=demo-project --data-file=FILE\n"
        "role esteira-build: roles/secretmanager.secretAccessor on secret index-token: missing\n"
        "The secret index-token has to be there first\n"
        "Then run: make cloud-apply ENV=dev"
    )
    scene.admin.secrets.values["index-token"] = "not to be seen"
    assert "made role esteira-build: roles/secretmanager.secretAccessor on secret index-token\n" in scene.apply()
    assert scene.rows() == []


def test_accounts_that_the_settings_name_are_checked_and_never_made(make_scene):
    own = "own-build@demo-project.iam.gserviceaccount.com"
    scene = make_scene(build_account=own)
    with pytest.raises(GoogleError) as caught:
        scene.apply()
    assert f"service account {own}: missing\nenvironments.dev.build_account names it. Make it, or" in str(caught.value)
    assert list(scene.admin.accounts.kept) == ["esteira-run@demo-project.iam.gserviceaccount.com"]
    scene.admin.accounts.put(own)
    with pytest.raises(GoogleError) as caught:
        scene.apply()
    assert (
        "role own-build: roles/storage.objectUser on bucket demo-bucket: missing\n"
        "That account is named by the settings. Run: gcloud storage buckets add-iam-policy-binding gs://demo-bucket "
        f"--member=serviceAccount:{own} --role=roles/storage.objectUser\n"
    ) in str(caught.value)


def test_a_pool_that_was_removed_comes_back(make_scene, whole):
    scene = make_scene(github="octo/esteira")
    scene.apply()
    scene.destroy()
    scene.apply()
    assert scene.state() == whole[0]
    assert "iam.projects.locations.workloadIdentityPools.undelete" in scene.changes()


def test_environments_of_one_project_share_its_accounts_and_its_pool(make_scene):
    scene = make_scene(others={"staging": {"bucket": "staging-bucket", "github": "octo/other"}}, github="octo/esteira")
    scene.apply()
    pool = "projects/123456789012/locations/global/workloadIdentityPools/esteira/providers/github"
    condition = "assertion.repository == 'octo/esteira' || assertion.repository == 'octo/other'"
    assert scene.admin.identities.kept[pool]["attributeCondition"] == condition
    scene.settings = scene.settings.copy(update={"selected": "staging"})
    assert scene.rows() == [
        "missing bucket staging-bucket",
        "missing role esteira-build: roles/storage.objectUser on bucket staging-bucket",
        "missing role esteira-build: roles/storage.legacyBucketReader on bucket staging-bucket",
        "missing role esteira-run: roles/storage.objectUser on bucket staging-bucket",
        "missing role esteira-run: roles/storage.legacyBucketReader on bucket staging-bucket",
        "missing role github:octo/other: roles/iam.workloadIdentityUser on service account esteira-build",
    ]
    scene.apply()
    scene.settings = scene.settings.copy(update={"selected": "dev"})
    assert scene.rows() == []


def test_a_repository_is_known_by_its_owners_number_and_one_branch(make_scene):
    scene = make_scene(github="octo/esteira")
    scene.apply()
    provider = scene.admin.identities.kept[f"{POOL}/providers/github"]
    assert provider["attributeCondition"] == "assertion.repository == 'octo/esteira'"
    named = {"github_owner_id": "1342004", "github_ref": "refs/heads/main"}
    place = scene.settings.environment.copy(update=named)
    scene.settings = scene.settings.copy(update={"environments": {"dev": place}})
    assert scene.rows() == ["different identity provider esteira/github"]
    scene.apply()
    assert provider["attributeCondition"] == (
        "assertion.repository == 'octo/esteira' && assertion.repository_owner_id == '1342004' "
        "&& assertion.ref == 'refs/heads/main'"
    )
    assert scene.rows() == []


def test_what_an_environment_says_of_github_is_not_weakened_by_another(make_scene):
    """Each has conditions of its own, even of one repository: OR binds less than AND."""
    other = {"bucket": "prod-bucket", "github": "octo/esteira", "github_ref": "refs/heads/main"}
    scene = make_scene(others={"prod": other}, github="octo/other")
    scene.apply()
    assert scene.admin.identities.kept[f"{POOL}/providers/github"]["attributeCondition"] == (
        "assertion.repository == 'octo/esteira' && assertion.ref == 'refs/heads/main' "
        "|| assertion.repository == 'octo/other'"
    )


def test_roles_of_an_account_that_was_removed_by_hand_are_given_to_the_new_one(make_scene, whole):
    scene = make_scene(github="octo/esteira")
    scene.apply()
    scene.api.call("remove it", "iam", "DELETE", f"v1/projects/-/serviceAccounts/{BUILD}")
    assert f"missing service account {BUILD}" in scene.rows()
    assert "superfluous role removed esteira-build: roles/aiplatform.user on project demo-project" in scene.rows()
    scene.apply()
    assert {name: roles for name, roles in scene.state()["policies"].items()} == whole[0]["policies"]
