import pytest

from esteira.cloud.roles import grants
from esteira.settings import Environment
from tests.cloud.conftest import PLACE
from tests.conftest import REPOSITORY


@pytest.fixture
def given(settings):
    """All roles of an environment that uses everything."""
    trainer = settings.trainer.copy(update={"place": "custom_job"})
    build = settings.build.copy(update={"secrets": "A=one/1,B=two/1,C=two/2"})
    chosen = settings.copy(update={"trainer": trainer, "build": build})
    return grants(chosen, Environment(**PLACE, github="octo/esteira"), "123456789012")


def test_nobody_may_own_edit_or_administer(given):
    roles = {grant.role for grant in given}
    assert not [role for role in roles if role.lower().endswith(("owner", "roles/editor", "admin"))]


def test_the_project_is_where_only_a_project_will_do(given):
    assert {grant.role for grant in given if grant.scope == "project"} == {
        "roles/aiplatform.user",
        "roles/bigquery.jobUser",
        "roles/cloudbuild.builds.editor",
        "roles/logging.logWriter",
        "roles/logging.viewer",
        "roles/serviceusage.serviceUsageConsumer",
    }


@pytest.mark.parametrize(
    ("place", "by", "acts"),
    [("task", "release", False), ("custom_job", "release", True), ("task", "pusher", True)],
)
def test_runs_act_as_themselves_where_they_start_jobs_or_deploy_models(settings, place, by, acts):
    trainer, endpoint = settings.trainer.copy(update={"place": place}), settings.endpoint.copy(update={"by": by})
    chosen = settings.copy(update={"trainer": trainer, "endpoint": endpoint})
    run = Environment(**PLACE).runner_email
    given = grants(chosen, Environment(**PLACE), "123456789012")
    own = [grant.role for grant in given if grant.target == run and grant.member == f"serviceAccount:{run}"]
    assert own == ["roles/iam.serviceAccountUser"] * acts


@pytest.mark.parametrize(
    ("log", "writes"),
    [
        ({"text": "keep"}, False),
        ({"text": "hash"}, True),
        ({"text": "redact"}, True),
        ({"text": "hash", "percent": 0}, False),
    ],
)
def test_runs_may_use_the_dataset_only_where_the_container_logs(settings, log, writes):
    chosen = settings.copy(update={"log": settings.log.copy(update=log)})
    member = f"serviceAccount:{Environment(**PLACE).runner_email}"
    given = grants(chosen, Environment(**PLACE), "123456789012")
    assert [grant.role for grant in given if grant.scope == "dataset" and grant.member == member] == ["WRITER"] * writes


def test_each_secret_is_given_once_by_itself(given):
    assert [grant.target for grant in given if grant.scope == "secret"] == ["one", "two"]


def test_every_role_has_a_reason_and_is_documented(given):
    page = (REPOSITORY / "docs" / "cloud.md").read_text(encoding="utf-8")
    assert [grant for grant in given if not grant.why] == []
    assert [grant.role for grant in given if grant.role.replace("roles/", "") not in page] == []
