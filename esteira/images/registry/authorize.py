"""Authorization at one registry: nothing until it asks, then a password, or a token for each scope.

Source: distribution's specification of token authentication (spec/auth/token, spec/auth/oauth).
"""

import base64
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit

from esteira.errors import RegistryError
from esteira.images.registry.challenge import Challenge, read_challenge
from esteira.images.registry.credentials import Credentials
from esteira.images.registry.refusals import refused
from esteira.loopback import is_loopback

if TYPE_CHECKING:
    import requests

Scopes = Tuple[str, ...]
# Sends one request to a URL and returns its answer, repeated while the network is at fault.
Ask = Callable[..., "requests.Response"]

CLIENT = "esteira"
# What the specification gives a token that tells no time, and what an answer may take to arrive.
TOKEN_S, MARGIN_S = 60, 10


class Token(NamedTuple):
    header: str
    until_s: float


def pull_scope(repository: str) -> str:
    return f"repository:{repository}:pull"


def push_scope(repository: str) -> str:
    return f"repository:{repository}:pull,push"


class Authorizer:
    """The header Authorization for each request. Thread-safe; credentials are looked up when first needed."""

    def __init__(self, host: str, find: Callable[[], Optional[Credentials]], ask: Ask) -> None:
        self._host = host
        self._find = find
        self._ask = ask
        self._lock = threading.Lock()
        self._challenge: Optional[Challenge] = None
        self._looked = False
        self._credentials: Optional[Credentials] = None
        self._tokens: Dict[Scopes, Token] = {}

    def header(self, scopes: Scopes) -> str:
        """Return the header's value, empty while the registry asked for none."""
        with self._lock:
            return self._header(scopes)

    def answer(self, response: "requests.Response", scopes: Scopes, used: str) -> bool:
        """Take in a 401 to a request that was sent with `used`; return whether another header is worth a try."""
        with self._lock:
            challenge = read_challenge(response.headers.get("WWW-Authenticate", ""))
            if challenge is None:
                return False
            self._challenge = challenge
            if scopes in self._tokens and self._tokens[scopes].header == used:
                del self._tokens[scopes]
            return self._header(scopes) not in ("", used)

    def _header(self, scopes: Scopes) -> str:
        if self._challenge is None:
            return ""
        if self._challenge.scheme == "basic":
            found = self._found()
            return basic(found) if found and found.password else ""
        token = self._tokens.get(scopes)
        if token is None or token.until_s < time.monotonic():
            token = self._tokens[scopes] = self._request_token(self._challenge, scopes)
        return token.header

    def _found(self) -> Optional[Credentials]:
        if not self._looked:
            self._credentials, self._looked = self._find(), True
        return self._credentials

    def _request_token(self, challenge: Challenge, scopes: Scopes) -> Token:
        realm, service = challenge.parameters["realm"], challenge.parameters.get("service", "")
        found = self._found()
        check_realm(realm, self._host)
        if found and found.identity_token:
            form = {"grant_type": "refresh_token", "refresh_token": found.identity_token}
            form.update(service=service, client_id=CLIENT, scope=" ".join(scopes))
            response = self._ask("POST", realm, form, {})
        else:
            query = [("service", service), *(("scope", scope) for scope in scopes)]
            headers = {"Authorization": basic(found)} if found else {}
            response = self._ask("GET", realm, query, headers)
        if response.status_code != 200:
            raise refused(response, self._host, f"{self._host}: {', '.join(scopes)}")
        return read_token(response, self._host)


def basic(credentials: Credentials) -> str:
    pair = f"{credentials.user}:{credentials.password}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def check_realm(realm: str, host: str) -> None:
    """Raise RegistryError if a token server would be sent a password for all to read."""
    place = urlsplit(realm)
    if place.scheme != "https" and not (place.scheme == "http" and is_loopback(place.netloc)):
        raise RegistryError(f"{host}: sends to {realm} for a token. Expected a URL that begins with https://.")


def read_token(response: "requests.Response", host: str) -> Token:
    try:
        document: Dict[str, Any] = response.json()
        token = str(document.get("token") or document["access_token"])
        lasting_s = float(document.get("expires_in") or TOKEN_S)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RegistryError(f"{host}: its token server answers without a token. Run the command again.") from None
    return Token(f"Bearer {token}", time.monotonic() + max(lasting_s - MARGIN_S, 0))
