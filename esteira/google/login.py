"""The credentials that requests to Google bear: the application default ones, else those of gcloud.

https://cloud.google.com/docs/authentication/application-default-credentials
"""

import threading
import time
import warnings
from typing import Any, Mapping, Optional

from esteira.errors import GoogleError, ProgramError
from esteira.process import run_program

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GCLOUD_S = 30.0
# gcloud's tokens live for an hour, and it hands out one that has some minutes left.
GCLOUD_LIFE_S = 240.0
LOG_IN = "gcloud auth application-default login"
NO_LOGIN = "there are no credentials for Google Cloud that can be used"
# Names a file of credentials. https://cloud.google.com/docs/authentication/application-default-credentials#GAC
FILE = "GOOGLE_APPLICATION_CREDENTIALS"


class TokenServerError(Exception):
    """The server that hands out tokens does not answer, so that the request was not sent."""


class Login:
    """Hands out access tokens, fresh ones when the last has expired. Thread-safe."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._lock = threading.Lock()
        self._credentials: Any = None
        self._gcloud = ""
        self._until_s = 0.0

    def token(self, *, fresh: bool = False) -> str:
        """Return an access token.

        Raises GoogleError, with the command that logs in, if there is none to be had, and TokenServerError.
        """
        with self._lock:
            if self._credentials is None and not self._gcloud:
                self._credentials = self._find()
            if self._credentials is None:
                if fresh or time.monotonic() > self._until_s:
                    self._gcloud = self._ask_gcloud() or self._gcloud
                return self._gcloud
            if fresh or not self._credentials.valid:
                self._refresh()
            return str(self._credentials.token)

    @property
    def quota_project(self) -> Optional[str]:
        """The project that requests count for, where the credentials name one."""
        return getattr(self._credentials, "quota_project_id", None)

    def counted_for(self, project: str) -> str:
        """Return the project that a request is to count for: `project` for a person whose credentials name none.

        They would count for the project of gcloud itself, which has not enabled what is asked; those of an account
        count for its own, "" here. https://cloud.google.com/docs/authentication/rest#set-billing-project
        """
        return self.quota_project or (project if self._is_person() else "")

    def _is_person(self) -> bool:
        if self._credentials is None:
            return bool(self._gcloud)
        from google.oauth2.credentials import Credentials

        return isinstance(self._credentials, Credentials)

    def _find(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python 3.8's age, and of a user's own credentials
            import google.auth
            from google.auth.exceptions import GoogleAuthError

            try:
                return google.auth.default(scopes=[SCOPE])[0]
            except GoogleAuthError as error:
                # Whoever names a file does not want to act as somebody else.
                self._gcloud = "" if self._environ.get(FILE) else self._ask_gcloud()
                if not self._gcloud:
                    raise GoogleError(no_login(error), 401, "UNAUTHENTICATED") from error
                return None

    def _refresh(self) -> None:
        import google.auth.transport.requests
        from google.auth.exceptions import GoogleAuthError, TransportError

        try:
            self._credentials.refresh(google.auth.transport.requests.Request())
        except GoogleAuthError as error:
            if isinstance(error, TransportError) or error.retryable:
                raise TokenServerError(error) from error
            raise GoogleError(no_login(error), 401, "UNAUTHENTICATED") from error

    def _ask_gcloud(self) -> str:
        command = ["gcloud", "auth", "print-access-token", "--quiet"]
        try:
            token = run_program(command, env=self._environ, timeout_s=GCLOUD_S).strip()
        except ProgramError:
            return ""
        self._until_s = time.monotonic() + GCLOUD_LIFE_S
        return token


def no_login(error: Exception) -> str:
    told = str(error.args[0]) if error.args else ""  # a RefreshError has the server's whole answer after it
    reason = next(iter(told.splitlines()), type(error).__name__)
    return f"{NO_LOGIN}: {reason}\nLog in: {LOG_IN}    Then run the command again."
