"""What gcloud is run with: the same login as our own requests, so that one login does for both."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, Mapping, Optional

from esteira.errors import GoogleError
from esteira.files import telling_os_errors
from esteira.google.addresses import OVERRIDE
from esteira.google.login import Login, TokenServerError

# https://cloud.google.com/sdk/gcloud/reference/topic/configurations#available-properties
TOKEN_FILE = "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"
# By which somebody tells gcloud itself who to be.
OF_THE_CALLER = (TOKEN_FILE, "CLOUDSDK_AUTH_ACCESS_TOKEN")
# The services that a submission asks.
SERVICES = ("CLOUDBUILD", "STORAGE")
NAME = "token"


@contextmanager
def gcloud_login(environ: Mapping[str, str], folder: Path, login: Optional[Login] = None) -> Iterator[Dict[str, str]]:
    """Yield gcloud's variables, with an access token of our login in a file that is removed afterwards.

    The file lies in `folder`, for its owner alone. Where an API stands in on this machine, nobody asks who one is
    and no token is handed on. Raises GoogleError, with the command that logs in, if there is no token to be had.
    """
    variables = gcloud_variables(environ)
    if any(name in variables for name in OF_THE_CALLER) or any(is_plain(variables, name) for name in SERVICES):
        yield variables
        return
    path = folder / NAME
    try:
        write_token(path, ask_token(login or Login(environ)))
        yield {**variables, TOKEN_FILE: str(path)}
    finally:
        if path.exists():
            path.unlink()


def gcloud_variables(environ: Mapping[str, str]) -> Dict[str, str]:
    """Return gcloud's variables without a login; what it may write of its requests holds no token."""
    variables = dict(environ)
    if is_plain(variables, "CLOUDBUILD"):
        variables.setdefault("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
    ours = {"CLOUDSDK_CORE_DISABLE_PROMPTS": "1", "CLOUDSDK_CORE_LOG_HTTP_REDACT_TOKEN": "true"}
    return {**variables, **ours}


def is_plain(variables: Mapping[str, str], service: str) -> bool:
    """Return whether a service is asked over plain HTTP, which only a stand-in of this machine is."""
    return variables.get(OVERRIDE + service, "").startswith("http://")


def ask_token(login: Login) -> str:
    try:
        return login.token()
    except TokenServerError as error:
        raise GoogleError(
            f"Google Cloud: cannot log gcloud in: no answer: {error}\nCheck the network and run the command again."
        ) from None


def write_token(path: Path, token: str) -> None:
    with telling_os_errors("write", path):
        number = os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(number, "w", encoding="ascii") as stream:
            stream.write(token)
