"""What Cloud Storage's client raises, told with what to type next."""

from contextlib import contextmanager
from typing import Any, Iterator

from esteira.errors import StateError
from esteira.settings import Environment

LOG_IN = "Log in: gcloud auth application-default login    Then run the command again."
AGAIN = "Check the network, then run the command again: it goes on from what is there."


@contextmanager
def telling_cloud_errors(what: str, place: str, environment: Environment) -> Iterator[None]:
    """Turn what the client raises into a StateError that names the place."""
    try:
        yield
    except Exception as error:
        explained = explain(error, environment)
        if not explained:
            raise
        raise StateError(f"{place}: cannot {what}: {explained}") from error


def explain(error: Exception, environment: Environment) -> str:
    """Return what is wrong and what to type; empty for what is no error of the client's."""
    import requests
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth
    from google.resumable_media import common as media

    # What was repeated until its time was over.
    error = getattr(error, "cause", None) or error
    if isinstance(error, (auth.TransportError, requests.RequestException, api.ServerError)):
        return f"Cloud Storage does not answer: {said(error)}\n{AGAIN}"
    if isinstance(error, api.TooManyRequests):
        return f"Cloud Storage is asked too often: {said(error)}\nRun the command again in a minute."
    if isinstance(error, (auth.GoogleAuthError, api.Unauthorized)):
        return f"there are no credentials for Google Cloud that can be used: {said(error)}\n{LOG_IN}"
    if isinstance(error, api.Forbidden):
        return f"Cloud Storage forbids it: {said(error)}\n{grant(environment)}"
    if isinstance(error, api.NotFound):
        return f"there is no bucket {environment.bucket}: {said(error)}\n{create(environment)}"
    if isinstance(error, (api.GoogleAPIError, media.InvalidResponse, media.DataCorruption)):
        return f"Cloud Storage answers: {said(error)}\nRun the command again."
    return ""


def grant(environment: Environment) -> str:
    return (
        "Expected the role roles/storage.objectAdmin on the bucket. Have one who owns it run:\n"
        f"gcloud storage buckets add-iam-policy-binding gs://{environment.bucket} "
        "--member=user:YOUR_ADDRESS --role=roles/storage.objectAdmin"
    )


def create(environment: Environment) -> str:
    return (
        f"Expected the one that environments in esteira.toml names. Create it:\n"
        f"gcloud storage buckets create gs://{environment.bucket} --project={environment.project} "
        f"--location={environment.region} --uniform-bucket-level-access"
    )


def said(error: Exception) -> str:
    """Return the server's own words if it gave any, else the error's first line.

    https://cloud.google.com/storage/docs/json_api/v1/status-codes
    """
    response: Any = getattr(error, "response", None)
    try:
        return str(response.json()["error"]["message"]).strip()
    except (AttributeError, ValueError, KeyError, TypeError, RuntimeError):
        return next(iter(str(error).splitlines()), type(error).__name__)
