"""What Google's APIs answer when they refuse, told with what to type next.

The form of an error is that of https://cloud.google.com/apis/design/errors#http_mapping, the reasons are those
of google.api.ErrorReason (https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto).
"""

from typing import Any, Dict, List, NamedTuple
from urllib.parse import urlencode

from esteira.errors import GoogleError
from esteira.google.login import LOG_IN

AGAIN = "Run the command again: it goes on from what is there."


class Refusal(NamedTuple):
    """What stands in an answer: Google's message, its status word, and the reason and details in ErrorInfo."""

    message: str
    word: str
    reason: str
    metadata: Dict[str, str]


class RefusedError(GoogleError):
    """An answer that is a refusal; `said` are the server's own words, without what to type next."""

    def __init__(self, message: str, status: int = 0, reason: str = "", *, said: str = "") -> None:
        super().__init__(message, status, reason)
        self.said = said


class NotFoundError(RefusedError):
    """What was asked for is not there."""


class ExistsError(RefusedError):
    """What was to be made is there already."""


class ChangedError(RefusedError):
    """A precondition failed: somebody else has changed it meanwhile."""


class AbortedError(ChangedError):
    """Another operation is under way, or was faster; what was asked was not done, and may be asked again.

    https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
    """


class LostError(GoogleError):
    """There was no answer, so that nobody knows whether the server did what it was asked.

    `said` is the reason alone, such as "Connection refused".
    """

    def __init__(self, message: str, *, said: str = "") -> None:
        super().__init__(message)
        self.said = said


KINDS = {404: NotFoundError, 409: ExistsError, 412: ChangedError}
# The word of a 409 that does not mean that something exists.
ABORTED = "ABORTED"


def read_refusal(body: Any) -> Refusal:
    """Return what an error's body holds; other servers in between may answer with anything."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return Refusal(str(error or "").strip(), "", "", {})
    details: List[Any] = error.get("details") or []
    for detail in details:
        if isinstance(detail, dict) and str(detail.get("@type", "")).endswith("google.rpc.ErrorInfo"):
            metadata = {str(key): str(value) for key, value in (detail.get("metadata") or {}).items()}
            reason = str(detail.get("reason", ""))
            return Refusal(str(error.get("message", "")).strip(), str(error.get("status", "")), reason, metadata)
    # Cloud Storage and BigQuery have a form of their own.
    reasons = [str(entry.get("reason", "")) for entry in error.get("errors") or [] if isinstance(entry, dict)]
    word = str(error.get("status", ""))
    return Refusal(str(error.get("message", "")).strip(), word, next(iter(reasons), ""), {})


def refused(what: str, status: int, body: Any, project: str, environment: str) -> RefusedError:
    """Return the error of a refused request; `what` says what was tried, such as "create the build"."""
    refusal = read_refusal(body)
    said = refusal.message or f"status {status}"
    text = f"Google Cloud: cannot {what}: {said}\n{remedy(refusal, status, project, environment)}"
    kind = AbortedError if refusal.word == ABORTED else KINDS.get(status, RefusedError)
    return kind(text.rstrip(), status, refusal.reason or refusal.word, said=said)


def remedy(refusal: Refusal, status: int, project: str, environment: str) -> str:
    """Return what to type."""
    service, permission = refusal.metadata.get("service", ""), refusal.metadata.get("permission", "")
    setup = f"make cloud-apply ENV={environment}" if environment else "make cloud-apply ENV=name"
    if refusal.reason == "SERVICE_DISABLED" or "has not been used in project" in refusal.message:
        enable = f"    Or: gcloud services enable {service} --project={project}" if service else ""
        return f"Run: {setup}{enable}"
    if status == 401:
        return f"Log in: {LOG_IN}    Then run the command again."
    if status == 403:
        lacks = f"Whoever runs this lacks {permission}. " if permission else ""
        return f"{lacks}Have an owner of {project} run: {setup}    To see what else is missing: make doctor"
    if status == 429 or refusal.word == "RESOURCE_EXHAUSTED":
        quotas = f"https://console.cloud.google.com/iam-admin/quotas?{urlencode({'project': project})}"
        return f"Wait a minute and run the command again, or ask for more: {quotas}"
    if status >= 500 or refusal.word == ABORTED:
        return AGAIN
    return ""
