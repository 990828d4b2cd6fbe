"""What is read from an answer that is a refusal, whoever gave it."""

from typing import Any

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


OWNER = "Have an owner of p run: make cloud-apply ENV=name    To see what else is missing: make doctor"


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (403, "Billing is disabled.", OWNER),
        (503, "Away.", "Run the command again: it goes on from what is there."),
        (400, "Wrong.", ""),
    ],
)
def test_a_refusal_is_told_with_its_remedy(status: int, said: str, expected: str) -> None:
    error = refused("do it", status, {"error": {"message": said}}, "p", "")
    assert str(error) == f"Google Cloud: cannot do it: {said}\n{expected}".rstrip()
    assert (error.said, error.status) == (said, status)
