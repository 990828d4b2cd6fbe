"""What apply has made, as Google's own clients read it."""

import json
import os
import sys

import pytest

from esteira.local.cloud import described
from esteira.monitoring.forms import REQUEST_LOG, schema_path
from esteira.process import run_program
from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.loopback, pytest.mark.programs]

SCHEMA = schema_path(REQUEST_LOG)
WRONG = "no such field: labl."
HELD = (
    "UPDATE or DELETE statement over table demo-project.esteira.ground_truth would affect rows in the streaming "
    "buffer, which is not supported"
)


@pytest.fixture
def scene(make_scene):
    """A project that was applied, with a secret."""
    made = make_scene(github="octo/esteira")
    build = made.settings.build.copy(update={"secrets": "INDEX_TOKEN=index-token/1"})
    made.settings = made.settings.copy(update={"build": build})
    made.admin.usage.enabled.add("secretmanager.googleapis.com")
    made.admin.secrets.values["index-token"] = "not to be seen"
    made.apply()
    made.stand_in.paths.update({**made.admin.jobs.paths(), **described.paths()})
    return made


@pytest.fixture
def stand_in(scene):
    return scene.stand_in


@pytest.fixture
def ask(stand_in, tmp_path):
    """Return a function that runs a client against the project, and returns its JSON."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": "demo-project",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        **stand_in.variables(),
    }

    def run(*command):
        return json.loads(run_program(command, env=environ, cwd=REPOSITORY, timeout_s=120))

    return run


@pytest.fixture
def bq(ask, stand_in):
    """Return a function that runs a command of bq, which takes no login from the environment."""
    options = ("--headless", "--api", stand_in.url.rstrip("/"), "--oauth_access_token=none", "--format=json")
    return lambda *command: ask("bq", *options, "--project_id=demo-project", *command)


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


def test_gcloud_takes_the_role_on_a_secret_away_as_documented(ask, scene):
    role, build = "roles/secretmanager.secretAccessor", "esteira-build@demo-project.iam.gserviceaccount.com"
    document = (REPOSITORY / "docs" / "cloud.md").read_text().replace("\\\n", "")
    (typed,) = [line.split() for line in document.splitlines() if "secrets remove-iam-policy-binding" in line]
    values = {"NAME": "index-token", "--project=PROJECT": "--project=demo-project"}
    values[f"--member=serviceAccount:{build.replace('demo-project', 'PROJECT')}"] = f"--member=serviceAccount:{build}"
    assert scene.rows() == []
    assert ask(*(values.get(word, word) for word in typed), "--format=json").get("bindings", []) == []
    assert scene.rows() == [f"missing role esteira-build: {role} on secret index-token"]


@pytest.mark.slow
def test_bq_reads_the_dataset_and_its_table(bq):
    (listed,) = bq("ls", "--filter", "labels.managed-by:esteira")
    assert listed["id"] == "demo-project:esteira"
    table, *others = sorted(bq("ls", "esteira"), key=lambda listed: "request_log" not in listed["id"])
    assert sorted(other["id"] for other in others) == [
        "demo-project:esteira.deployed_models",
        "demo-project:esteira.ground_truth",
    ]
    assert table["id"] == "demo-project:esteira.request_log"
    assert table["clustering"] == {"fields": ["endpoint", "deployed_model_id"]}
    dataset = bq("show", "esteira")
    assert (dataset["location"], dataset["labels"]["managed-by"]) == ("europe-west1", "esteira")


@pytest.mark.slow
def test_bq_reads_the_schema_of_the_table(bq):
    assert bq("show", "--schema", "esteira.request_log") == json.loads((REPOSITORY / SCHEMA).read_text())
    assert bq("show", "esteira.request_log")["timePartitioning"] == {
        "type": "DAY",
        "field": "logging_time",
        "expirationMs": "15552000000",
    }


def test_googles_client_reads_the_dataset_and_its_table(ask, stand_in):
    told = ask(sys.executable, "-W", "ignore", "-m", "tests.cloud.bigquery_client", stand_in.url.rstrip("/"))
    assert told == {
        "dataset": ["demo-project:esteira", "europe-west1", "dev"],
        "writers": [
            "projectWriters",
            "esteira-build@demo-project.iam.gserviceaccount.com",
            "service-123456789012@gcp-sa-aiplatform.iam.gserviceaccount.com",
        ],
        "table": ["demo-project:esteira.request_log", "TABLE", 0],
        "partitions": ["DAY", "logging_time", 15552000000],
        "clustering": ["endpoint", "deployed_model_id"],
        "schema": json.loads((REPOSITORY / SCHEMA).read_text()),
    }


def test_googles_client_loads_streams_and_asks(ask, stand_in):
    told = ask(sys.executable, "-W", "ignore", "-m", "tests.cloud.bigquery_rows", stand_in.url.rstrip("/"))
    assert told == {
        "scanned": 3 * 16,
        "streamed": [[], [{"index": 0, "errors": [{"reason": "invalid", "location": "labl", "message": WRONG}]}]],
        "asked": [
            ["1", 0, "negative", None],
            ["2", 0, "ação", "2026-11-22T21:30:41.123456+00:00"],
            ["18446744073709551615", 1, None, None],
        ],
        "view": [["label", "STRING"]],
        "held": HELD,
        "removed": 1,
        "refused": "invalidQuery",
    }


@pytest.mark.slow
def test_bq_asks_for_rows(bq, scene):
    scene.admin.warehouse.rows.append("esteira.ground_truth", [{"request_id": 7, "label": "positive"}])
    asked = "SELECT request_id, label, given_time FROM esteira.ground_truth"
    assert bq("query", "--nouse_legacy_sql", asked) == [{"request_id": "7", "label": "positive", "given_time": None}]
    assert bq("head", "esteira.ground_truth")[0]["label"] == "positive"
