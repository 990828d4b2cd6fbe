"""The connections to Google's servers, and what is to be told of one that fails."""

import os
import threading
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple

from esteira.google.login import TokenServerError

if TYPE_CHECKING:
    import requests

# Kept open for the threads that send and remove many objects at once.
CONNECTIONS = 16

_lock = threading.Lock()
_sessions: Dict[Tuple[int, bool], Any] = {}


def session(local: bool) -> "requests.Session":
    """Return this process's connections, which its threads share; those to this machine go past any proxy."""
    key = (os.getpid(), local)  # a forked process must not speak on its parent's
    with _lock:
        if key not in _sessions:
            _sessions[key] = make_session(local)
        found: requests.Session = _sessions[key]
        return found


def make_session(local: bool) -> "requests.Session":
    """Return connections that keep no cookies, the one thing of a session that threads must not share."""
    from http.cookiejar import DefaultCookiePolicy

    import requests
    from requests.adapters import HTTPAdapter

    made = requests.Session()
    made.headers["User-Agent"] = "esteira"
    made.trust_env = not local
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        made.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))
    return made


def whole(response: "requests.Response") -> None:
    """Raise ConnectionError unless all of an answer came, which requests 2 does not look at."""
    import requests

    expected = response.headers.get("Content-Length", "")
    read_bytes = response.raw.tell()
    if expected.isdigit() and read_bytes < int(expected) and response.request.method != "HEAD":
        raise requests.ConnectionError(f"the answer ended after {read_bytes} of {expected} bytes")


def never_sent(error: Optional[Exception]) -> bool:
    """Return whether a request failed before any of it was sent, so that nobody can have acted on it."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    refused = isinstance(innermost(error), (ConnectTimeoutError, NewConnectionError))
    return refused or isinstance(error, TokenServerError)


def innermost(error: Optional[BaseException]) -> Optional[BaseException]:
    """Return what an error of requests was made from."""
    while error is not None:
        inner = [cause for cause in (getattr(error, "reason", None), *error.args[::-1]) if is_error(cause)]
        if not inner:
            break
        error = inner[0]
    return error


def is_error(value: object) -> bool:
    return isinstance(value, BaseException)


def told(error: Optional[Exception]) -> str:
    """Return the reason of an error of requests, without addresses of objects."""
    cause = innermost(error)
    # An error that a connection gave has the connection itself before its words.
    words = cause.args[-1] if cause is not None and cause.args else ""
    text = str(getattr(cause, "strerror", None) or words)
    return text.rpartition(">: ")[2] or type(cause).__name__
