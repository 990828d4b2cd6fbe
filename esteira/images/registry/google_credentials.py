"""Credentials for Google's registries: gcloud's, or those of the machine (Cloud Build, a workstation's default login).

Source: https://cloud.google.com/artifact-registry/docs/docker/authentication
"""

import shutil
import warnings
from typing import Mapping, Optional

from esteira.errors import ProgramError, RegistryError
from esteira.images.registry.credentials import HELPER_S, Credentials, ask_helper
from esteira.process import run_program

HELPER = "docker-credential-gcloud"
TOKEN_USER = "oauth2accesstoken"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def from_google(host: str, environ: Mapping[str, str]) -> Optional[Credentials]:
    """Return gcloud's credentials if somebody is logged in there, else the application default ones, else None."""
    return from_gcloud(host, environ) or from_application_default()


def from_gcloud(host: str, environ: Mapping[str, str]) -> Optional[Credentials]:
    path = environ.get("PATH")
    try:
        if shutil.which(HELPER, path=path):
            return ask_helper(HELPER, f"https://{host}", environ)
        if shutil.which("gcloud", path=path):
            command = ["gcloud", "auth", "print-access-token", "--quiet"]
            return Credentials(TOKEN_USER, run_program(command, env=environ, timeout_s=HELPER_S).strip())
    except (ProgramError, RegistryError):
        pass  # nobody is logged in: a public repository is read without, any other tells how to log in
    return None


def from_application_default() -> Optional[Credentials]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python 3.8's age
        import google.auth
        import google.auth.transport.requests
        from google.auth.exceptions import GoogleAuthError

        try:
            credentials, _ = google.auth.default(scopes=[SCOPE])
            credentials.refresh(google.auth.transport.requests.Request())
        except GoogleAuthError:
            return None
    return Credentials(TOKEN_USER, str(credentials.token))
