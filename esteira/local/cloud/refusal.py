"""Refusals in the form that Google's APIs give them. https://cloud.google.com/apis/design/errors"""

from typing import Any, Dict, Optional

# https://cloud.google.com/apis/design/errors#handling_errors
WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}

OLD_REASONS = {
    400: "invalid",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    409: "conflict",
    412: "conditionNotMet",
    429: "rateLimitExceeded",
}


class Refused(Exception):
    """A request that a stand-in refuses."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        word: str = "",
        reason: str = "",
        metadata: Optional[Dict[str, str]] = None,
        retry_after_s: int = 0,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.word = word or WORDS.get(status, "UNKNOWN")
        self.reason = reason
        self.metadata = metadata or {}
        self.retry_after_s = retry_after_s

    def body(self) -> Dict[str, Any]:
        error: Dict[str, Any] = {"code": self.status, "message": self.message, "status": self.word}
        if self.reason:
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": self.reason}
            error["details"] = [{**info, "domain": "googleapis.com", "metadata": self.metadata}]
        return {"error": error}

    def old_body(self) -> Dict[str, Any]:
        """Return the form of Cloud Storage and BigQuery. https://cloud.google.com/storage/docs/json_api/v1/status-codes"""
        # Reasons of theirs own begin with a small letter: invalidQuery is one, SERVICE_DISABLED is none.
        own = self.reason if self.reason[:1].islower() else OLD_REASONS.get(self.status, "backendError")
        entry = {"message": self.message, "domain": "global", "reason": own}
        error = {key: value for key, value in self.body()["error"].items() if key != "details" or own != self.reason}
        return {"error": {**error, "errors": [entry]}}


def denied(permission: str, resource: str) -> Refused:
    """Return the refusal of somebody who lacks a permission."""
    message = f"Permission '{permission}' denied on resource '//{resource}' (or it may not exist)."
    metadata = {"permission": permission, "resource": resource}
    return Refused(403, message, reason="IAM_PERMISSION_DENIED", metadata=metadata)


def disabled(service: str, project: str) -> Refused:
    """Return the refusal of an API that is not enabled."""
    name = f"{service}.googleapis.com"
    message = (
        f"{name} has not been used in project {project} before or it is disabled. Enable it by visiting "
        f"https://console.developers.google.com/apis/api/{name}/overview?project={project} then retry."
    )
    metadata = {"service": name, "consumer": f"projects/{project}"}
    return Refused(403, message, reason="SERVICE_DISABLED", metadata=metadata)


def missing(what: str) -> Refused:
    return Refused(404, f"{what} not found.")


def there_already(what: str) -> Refused:
    return Refused(409, f"Requested entity already exists: {what}")
