"""What Cloud Storage refuses, told with what to type next."""

from contextlib import contextmanager
from typing import Iterator

from esteira.errors import GoogleError, StateError
from esteira.google.login import LOG_IN, NO_LOGIN
from esteira.google.refusals import AGAIN, LostError, RefusedError
from esteira.settings import Environment


@contextmanager
def telling_cloud_errors(what: str, place: str, environment: Environment) -> Iterator[None]:
    """Turn a GoogleError into a StateError that names the place."""
    try:
        yield
    except GoogleError as error:
        raise StateError(f"{place}: cannot {what}: {explain(error, environment)}") from error


def explain(error: GoogleError, environment: Environment) -> str:
    """Return what is wrong and what to type.

    https://cloud.google.com/storage/docs/json_api/v1/status-codes
    """
    if isinstance(error, LostError) or (isinstance(error, RefusedError) and error.status >= 500):
        return f"Cloud Storage does not answer: {error.said}\nCheck the network, then {AGAIN[0].lower()}{AGAIN[1:]}"
    if not isinstance(error, RefusedError):
        return str(error)
    if error.status == 429:
        return f"Cloud Storage is asked too often: {error.said}\nRun the command again in a minute."
    if error.status == 401:
        return f"{NO_LOGIN}: {error.said}\nLog in: {LOG_IN}    Then run the command again."
    if error.reason == "SERVICE_DISABLED":
        enable = f"gcloud services enable storage.googleapis.com --project={environment.project}"
        return f"Cloud Storage forbids it: {error.said}\nRun: {enable}"
    if error.status == 403:
        return f"Cloud Storage forbids it: {error.said}\n{grant(environment)}"
    if error.status == 404:
        return f"there is no bucket {environment.bucket}: {error.said}\n{create(environment)}"
    return f"Cloud Storage answers: {error.said}\nRun the command again."


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


def damaged_error(place: str, told: str, came: str) -> StateError:
    """Return the error for a content that is not what the server says that it sent."""
    return StateError(
        f"{place}: cannot read: Cloud Storage answers: Checksum mismatch: crc32c {told} was sent, {came} came.\n"
        "Run the command again."
    )
