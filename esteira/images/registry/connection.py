"""Requests to one registry: with its authorization, and repeated where that can help.

requests takes proxies, NO_PROXY and certificates from the environment, as other programs do.
"""

import random
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, Callable, Container, Mapping, Optional

from esteira.images.registry.authorize import Authorizer, Scopes
from esteira.images.registry.credentials import find_credentials
from esteira.images.registry.hosts import api_url, stand_ins
from esteira.images.registry.refusals import (
    CONNECT_S,
    READ_S,
    CutError,
    is_unknown_or_closed,
    reason,
    refused,
    unreachable,
)
from esteira.loopback import is_loopback

if TYPE_CHECKING:
    import requests

ATTEMPTS = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
AGAIN = (429, 500, 502, 503, 504)
# One for each thread that pulls or pushes.
CONNECTIONS = 16

Sleep = Callable[[float], None]


class Connection:
    """Thread-safe; nothing is asked before the first request."""

    def __init__(self, host: str, environ: Mapping[str, str], sleep: Sleep = time.sleep) -> None:
        stand_in = stand_ins(environ).get(host)
        self.host = host
        # Whom the requests go to; `host` is what messages name.
        self.asked = stand_in or host
        self.url = api_url(self.asked)
        self._sleep = sleep
        self._authorizer = Authorizer(
            host, lambda: None if stand_in else find_credentials(host, environ), self._ask_token
        )
        self._met = threading.Event()

    def send(
        self,
        method: str,
        url: str,
        *,
        scopes: Scopes,
        subject: str,
        expected: Container[int],
        headers: Optional[Mapping[str, str]] = None,
        params: Any = None,
        body: Any = None,
        stream: bool = False,
        once: bool = False,
        read_s: float = READ_S,
    ) -> "requests.Response":
        """Return the answer to a request, whose status is one of `expected`.

        Raises UnreachableError, RegistryError with how `subject` was refused, and, where `once` forbids to
        repeat the request since its body is half sent, CutError.
        """
        address = self._absolute(url)
        # An upload may be sent elsewhere, where nobody has to see what opens the registry.
        ours = address.startswith(f"{self.url}/")
        used = self._authorizer.header(scopes) if ours else ""
        options = {"params": params, "data": body, "stream": stream, "timeout": (CONNECT_S, read_s)}
        renewed = False
        while True:
            sent = {**(headers or {}), **({"Authorization": used} if used else {})}
            response = self._attempt(method, address, once, headers=sent, **options)
            if response.status_code != 401 or renewed or not ours:
                break
            if not self._authorizer.answer(response, scopes, used):
                break
            response.close()
            used, renewed = self._authorizer.header(scopes), True
        if response.status_code in expected:
            return response
        if once and response.status_code in AGAIN:
            raise CutError(str(refused(response, self.host, subject)))
        raise refused(response, self.host, subject)

    def pause(self, attempt: int, response: "Optional[requests.Response]" = None) -> None:
        """Wait before another attempt: as long as the registry says, else longer each time."""
        self._sleep(asked_pause_s(response) or FIRST_PAUSE_S * 2**attempt * random.uniform(0.75, 1.25))

    def _absolute(self, url: str) -> str:
        return f"{self.url}{url}" if url.startswith("/") else url

    def _host_of(self, url: str) -> str:
        """Return whom a request went to: the registry by its own name, or its token server."""
        from urllib.parse import urlsplit

        return self.host if url.startswith(self.url) else urlsplit(url).netloc

    def _ask_token(self, method: str, url: str, fields: Any, headers: Mapping[str, str]) -> "requests.Response":
        place = {"params": fields} if method == "GET" else {"data": fields}
        return self._attempt(method, url, False, headers=headers, **place)

    def _attempt(self, method: str, url: str, once: bool, **options: Any) -> "requests.Response":
        """Return an answer that is worth a look: others, and lost ones, are asked for again."""
        import requests

        for attempt in range(ATTEMPTS):
            last = once or attempt == ATTEMPTS - 1
            try:
                response = self._request(method, url, **options)
            except requests.RequestException as error:
                if once and self._met.is_set():
                    raise CutError(f"{self.host}: {reason(error)}.") from error
                if last or (is_unknown_or_closed(error) and not self._met.is_set()):
                    raise unreachable(self._host_of(url), error) from error
                self.pause(attempt)
                continue
            self._met.set()
            if last or response.status_code not in AGAIN:
                return response
            response.close()
            self.pause(attempt, response)
        raise AssertionError("the last attempt returns or raises")

    def _request(self, method: str, url: str, **options: Any) -> "requests.Response":
        return self._session.request(
            method,
            url,
            auth=keep_headers,  # else requests puts in what ~/.netrc holds
            allow_redirects=method in ("GET", "HEAD"),
            **{"timeout": (CONNECT_S, READ_S), **options},
        )

    @cached_property
    def _session(self) -> "requests.Session":
        import requests
        from requests.adapters import HTTPAdapter

        session = requests.Session()
        session.headers["User-Agent"] = "esteira"
        session.trust_env = not is_loopback(self.asked)  # no proxy leads back to this machine
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS))
        return session


def keep_headers(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
    return request


def asked_pause_s(response: "Optional[requests.Response]") -> float:
    """Return the seconds that an answer asks to wait, within bounds; 0 if it asks for none."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    return min(float(asked), LONGEST_PAUSE_S) if asked.isdigit() else 0.0
