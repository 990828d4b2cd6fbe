"""The stand-in of what an owner sees: it refuses what Google refuses."""

import pytest

from esteira.errors import GoogleError
from esteira.google.api import Api
from esteira.local.cloud.administration import Administration
from esteira.local.cloud.server import StandIn, served

pytestmark = pytest.mark.loopback

POLICY = "v1/projects/demo-project:{}IamPolicy"
BUILD = "esteira-build@demo-project.iam.gserviceaccount.com"


@pytest.fixture
def project():
    """A fresh project, and its APIs."""
    admin = Administration()
    admin.usage.enabled.update({"cloudresourcemanager.googleapis.com", "iam.googleapis.com"})
    with served(StandIn(admin.handlers())) as stand_in:
        yield admin, Api("demo-project", "europe-west1", stand_in.variables(), pause=lambda seconds: None)


def set_policy(api, policy):
    path = POLICY.format("set")
    return api.call("set the policy", "cloudresourcemanager", "POST", path, body={"policy": policy})


def test_an_api_that_is_not_enabled_refuses(project):
    with pytest.raises(GoogleError) as caught:
        project[1].call("read it", "bigquery", "GET", "projects/demo-project/datasets/esteira")
    assert caught.value.reason == "SERVICE_DISABLED"


def test_both_versions_of_service_usage_are_held_against_their_documents(project):
    admin, api = project
    service = "projects/demo-project/services/aiplatform.googleapis.com"
    path = f"v1beta1/{service}:generateServiceIdentity"
    assert api.call("make the agent", "serviceusage", "POST", path)["done"]
    assert admin.usage.agents == {"aiplatform.googleapis.com"}
    with pytest.raises(GoogleError, match="serviceusage.services.generateServiceIdentity takes no body"):
        api.call("make the agent", "serviceusage", "POST", path, body={"parent": service})
    metric = f"v1beta1/{service}/consumerQuotaMetrics/aiplatform.googleapis.com%2Fcustom_model_training_cpus"
    told = api.call("read a quota", "serviceusage", "GET", metric, query={"view": "FULL"})
    assert told["metric"] == "aiplatform.googleapis.com/custom_model_training_cpus"
    with pytest.raises(GoogleError, match="Invalid value at 'view'"):
        api.call("read a quota", "serviceusage", "GET", metric, query={"view": "ALL"})
    with pytest.raises(GoogleError, match='Unknown name "nme"'):
        api.call("enable", "serviceusage", "POST", "v1/projects/demo-project/services:batchEnable", body={"nme": 1})


def test_a_policy_is_written_once_for_each_time_that_it_was_read(project):
    admin, api = project
    policy = admin.policies.get("demo-project")
    bindings = [{"role": "roles/viewer", "members": ["user:guest@example.com"]}]
    assert set_policy(api, {**policy, "bindings": bindings})["etag"] != policy["etag"]
    with pytest.raises(GoogleError) as caught:
        set_policy(api, {**policy, "bindings": []})
    assert (caught.value.status, caught.value.reason) == (409, "ABORTED")


def test_a_policy_names_no_account_that_is_not_there(project):
    admin, api = project
    bindings = [{"role": "roles/viewer", "members": [f"serviceAccount:{BUILD}"]}]
    with pytest.raises(GoogleError, match=f"Service account {BUILD} does not exist."):
        set_policy(api, {"bindings": bindings})
    admin.accounts.put(BUILD)
    assert set_policy(api, {"bindings": bindings})["bindings"] == bindings


def test_an_account_that_is_removed_stays_in_policies_by_its_number(project):
    admin, api = project
    number = admin.accounts.put(BUILD)["uniqueId"]
    admin.policies.add("demo-project", "roles/viewer", f"serviceAccount:{BUILD}")
    api.call("remove it", "iam", "DELETE", f"v1/projects/-/serviceAccounts/{BUILD}")
    assert admin.policies.roles("demo-project") == {f"deleted:serviceAccount:{BUILD}?uid={number} roles/viewer"}


def test_a_dataset_tells_conditions_to_who_knows_of_them(project):
    admin, api = project
    admin.usage.enabled.add("bigquery.googleapis.com")
    condition = {"title": "this year", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}
    entry = {"role": "READER", "userByEmail": "analyst@example.com", "condition": condition}
    admin.warehouse.put_dataset("esteira", access=[entry])
    path, aware = "projects/demo-project/datasets/esteira", {"accessPolicyVersion": 3}
    (old,) = api.call("read it", "bigquery", "GET", path)["access"]
    assert old["role"].startswith("roles/bigquery.dataViewer_withcond_")
    assert "condition" not in old
    assert api.call("read it", "bigquery", "GET", path, query=aware)["access"] == [entry]
    with pytest.raises(GoogleError, match="needs accessPolicyVersion 3"):
        api.call("change it", "bigquery", "PATCH", path, body={"access": [entry]})
    with pytest.raises(GoogleError, match="is not supported"):
        api.call("change it", "bigquery", "PATCH", path, body={"access": [old]}, query=aware)
    with pytest.raises(GoogleError, match="Expected 0, 1 or 3"):
        api.call("read it", "bigquery", "GET", path, query={"accessPolicyVersion": 2})


def test_another_project_is_nobodys_business(project):
    with pytest.raises(GoogleError) as caught:
        project[1].call("read it", "cloudresourcemanager", "GET", "v1/projects/other-project")
    assert caught.value.status == 403
