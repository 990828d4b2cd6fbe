"""What Google's APIs answer when they refuse, told with what to type next.

The form of an error is that of https://cloud.google.com/apis/design/errors#http_mapping, the reasons are those
of google.api.ErrorReason (https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto).
"""

import re
from typing import Any, Dict, List, NamedTuple
from urllib.parse import urlencode

from esteira.errors import GoogleError
from esteira.google.login import LOG_IN

AGAIN = "Run the command again: it goes on from what is there."
CONSUMER = "serviceusage.serviceUsageConsumer"


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


# The reason of an error where credentials have requests count for a project that has not enabled what is asked.
OTHER_PROJECT = "OTHER_PROJECT"
COUNT = "gcloud auth application-default set-quota-project"
# The project of gcloud itself, and that of the application default login.
# https://cloud.google.com/docs/authentication/troubleshoot-adc#user-creds-client-based
CLIENTS = ("32555940559", "764086051850")
# In the words of Vertex AI, and of IAM.
ACT_AS = re.compile(r"(?:act as service[_ ]account|serviceAccounts\.actAs)\b.*?([a-z0-9-]+@[a-z0-9.-]+\.com)\b")
# What a deploy asks of the project itself, by how the permission's name begins, and the role that has it.
ROLES = {
    "aiplatform.": "aiplatform.user",
    "cloudbuild.builds.": "cloudbuild.builds.editor",
    "logging.logEntries.list": "logging.viewer",
    "serviceusage.services.get": CONSUMER,
    "serviceusage.services.use": CONSUMER,
}
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


def refused(what: str, status: int, body: Any, project: str, environment: str, counted: str = "") -> RefusedError:
    """Return the error of a refused request; `what` says what was tried, such as "create the build".

    `counted` is the project that the credentials have requests count for, if they name one.
    """
    refusal = read_refusal(body)
    said = refusal.message or f"status {status}"
    text = f"Google Cloud: cannot {what}: {said}\n{remedy(refusal, status, project, environment, counted)}"
    kind = AbortedError if refusal.word == ABORTED else KINDS.get(status, RefusedError)
    reason = OTHER_PROJECT if other_consumer(refusal, project, counted) else refusal.reason or refusal.word
    return kind(text.rstrip(), status, reason, said=said)


def remedy(refusal: Refusal, status: int, project: str, environment: str, counted: str = "") -> str:
    """Return what to type."""
    service, setup = refusal.metadata.get("service", ""), f"make cloud-apply ENV={environment or 'name'}"
    other = other_consumer(refusal, project, counted)
    if other:
        return f"Requests count for the project {other}, not for {project}. Run: {COUNT} {project}"
    if is_disabled(refusal):
        enable = f"    Or: gcloud services enable {service} --project={project}" if service else ""
        return f"Run: {setup}{enable}"
    acted_as = ACT_AS.search(refusal.message)
    if acted_as:
        gives = f"gcloud iam service-accounts add-iam-policy-binding {acted_as.group(1)}"
        return for_whom(f"{gives} {person('iam.serviceAccountUser')}", setup)
    if status == 401:
        return f"Log in: {LOG_IN}    Then run the command again."
    if status == 403:
        return lacking_remedy(refusal, project, environment, setup)
    if status == 429 or refusal.word == "RESOURCE_EXHAUSTED":
        quotas = f"https://console.cloud.google.com/iam-admin/quotas?{urlencode({'project': project})}"
        return f"Wait a minute and run the command again, or ask for more: {quotas}"
    if status >= 500 or refusal.word == ABORTED:
        return AGAIN
    return ""


def is_disabled(refusal: Refusal) -> bool:
    return refusal.reason == "SERVICE_DISABLED" or "has not been used in project" in refusal.message


def concerns_login(error: GoogleError) -> bool:
    """Return whether an error is one of the credentials, so that whatever else is asked ends in the same."""
    return error.status == 401 or error.reason == OTHER_PROJECT


def other_consumer(refusal: Refusal, project: str, counted: str) -> str:
    """Return the project that has not enabled an API if that is another one, else ""; Google may tell it by number."""
    if not is_disabled(refusal):
        return ""
    consumer = refusal.metadata.get("consumer", "").rpartition("/")[2]
    if counted and counted != project:
        return counted
    is_other = consumer in CLIENTS or (consumer != project and not consumer.isdigit())
    return consumer if is_other else ""


def lacking_remedy(refusal: Refusal, project: str, environment: str, setup: str) -> str:
    """Return how whoever lacks a permission gets it: a person by an owner's command, our accounts by apply."""
    permission = refusal.metadata.get("permission", "")
    if refusal.reason == "USER_PROJECT_DENIED":
        permission = "serviceusage.services.use"
    role = next((role for beginning, role in ROLES.items() if permission.startswith(beginning)), "")
    lacks = f"Whoever runs this lacks {permission}. " if permission else ""
    if role:
        return lacks + for_whom(f"gcloud projects add-iam-policy-binding {project} {person(role)}", setup)
    doctor = f"make doctor ENV={environment or 'name'}"
    told = f"For a person, this tells what an owner of {project} runs: {doctor}"
    return f"{lacks}{told}    For an account of Esteira: {setup}"


def for_whom(command: str, setup: str) -> str:
    return f"For a person, an owner runs: {command}    For an account of Esteira: {setup}"


def person(role: str) -> str:
    return f"--member=user:NAME@EXAMPLE.COM --role=roles/{role}"
