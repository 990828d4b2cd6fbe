"""What is read from an answer that is a refusal, whoever gave it."""

from typing import Any, Dict

import pytest

from esteira.google.refusals import Refusal, read_refusal, refused

KIND = "type.googleapis.com/google.rpc.ErrorInfo"
DETAIL = {"@type": KIND, "reason": "SERVICE_DISABLED", "metadata": {"service": "a"}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"error": {"code": 403, "message": "No.", "status": "PERMISSION_DENIED", "details": [{}, DETAIL]}},
            Refusal("No.", "PERMISSION_DENIED", "SERVICE_DISABLED", {"service": "a"}),
        ),
        (
            {"error": {"code": 409, "message": "Taken.", "errors": [{"reason": "conflict", "domain": "global"}]}},
            Refusal("Taken.", "", "conflict", {}),
        ),
        ({"error": "invalid_grant"}, Refusal("invalid_grant", "", "", {})),
        ({"error": {"details": [{"@type": KIND}]}}, Refusal("", "", "", {})),
        ({"error": None}, Refusal("", "", "", {})),
        ([], Refusal("", "", "", {})),
        (None, Refusal("", "", "", {})),
    ],
)
def test_a_refusal_is_read_in_each_form(body: Any, expected: Refusal) -> None:
    assert read_refusal(body) == expected


ACCOUNT = "    For an account of Esteira: make cloud-apply ENV=name"
OWNER = f"For a person, this tells what an owner of p runs: make doctor ENV=name{ACCOUNT}"
RUN = "esteira-run@p.iam.gserviceaccount.com"
ACT = (
    f"For a person, an owner runs: gcloud iam service-accounts add-iam-policy-binding {RUN} "
    f"--member=user:NAME@EXAMPLE.COM --role=roles/iam.serviceAccountUser{ACCOUNT}"
)


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (403, "Billing is disabled.", OWNER),
        (503, "Away.", "Run the command again: it goes on from what is there."),
        (400, "Wrong.", ""),
        (400, f"You do not have permission to act as service_account: {RUN}. (or it may not exist).", ACT),
        (403, f"Permission 'iam.serviceAccounts.actAs' denied on service account {RUN} (or it may not exist).", ACT),
    ],
)
def test_a_refusal_is_told_with_its_remedy(status: int, said: str, expected: str) -> None:
    error = refused("do it", status, {"error": {"message": said}}, "p", "")
    assert str(error) == f"Google Cloud: cannot do it: {said}\n{expected}".rstrip()
    assert (error.said, error.status) == (said, status)


def said_of(reason: str, metadata: Dict[str, str], counted: str = "") -> str:
    """Return the remedy of a refusal with this detail."""
    detail = {"@type": KIND, "reason": reason, "metadata": metadata}
    error = refused("do it", 403, {"error": {"message": "No.", "details": [detail]}}, "demo", "dev", counted)
    return str(error).splitlines()[-1]


@pytest.mark.parametrize(
    ("permission", "told"),
    [
        (
            "logging.logEntries.list",
            "For a person, an owner runs: gcloud projects add-iam-policy-binding demo "
            "--member=user:NAME@EXAMPLE.COM --role=roles/logging.viewer    ",
        ),
        ("storage.objects.get", "For a person, this tells what an owner of demo runs: make doctor ENV=dev    "),
    ],
)
def test_a_person_and_an_account_get_a_permission_in_different_ways(permission: str, told: str) -> None:
    expected = f"Whoever runs this lacks {permission}. {told}For an account of Esteira: make cloud-apply ENV=dev"
    assert said_of("IAM_PERMISSION_DENIED", {"permission": permission}) == expected


def test_who_may_not_have_requests_count_for_the_project_is_told_the_role() -> None:
    assert said_of("USER_PROJECT_DENIED", {"consumer": "projects/123"}) == (
        "Whoever runs this lacks serviceusage.services.use. For a person, an owner runs: gcloud projects "
        "add-iam-policy-binding demo --member=user:NAME@EXAMPLE.COM --role=roles/serviceusage.serviceUsageConsumer"
        "    For an account of Esteira: make cloud-apply ENV=dev"
    )


@pytest.mark.parametrize(
    ("consumer", "counted", "other"),
    [
        ("764086051850", "", "764086051850"),
        ("old-project", "", "old-project"),
        ("123", "old-project", "old-project"),
        ("123", "demo", ""),
        ("demo", "", ""),
    ],
)
def test_requests_that_count_for_another_project_are_told(consumer: str, counted: str, other: str) -> None:
    metadata = {"service": "aiplatform.googleapis.com", "consumer": f"projects/{consumer}"}
    enable = "Run: make cloud-apply ENV=dev    Or: gcloud services enable aiplatform.googleapis.com --project=demo"
    count = (
        f"Requests count for the project {other}, not for demo. "
        "Run: gcloud auth application-default set-quota-project demo"
    )
    assert said_of("SERVICE_DISABLED", metadata, counted) == (count if other else enable)
