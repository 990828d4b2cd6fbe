"""One connection to a prediction server, ours or TensorFlow Serving, over which JSON is asked and answered."""

import http.client
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Optional
from urllib.parse import quote, urlsplit

from esteira.errors import ServingError

# Texts in one request; more go in several, over one connection.
CHUNK = 64
TIMEOUT_S = 30.0
# How long a server that is busy or stopping is asked again, and how long one that names no time is left alone.
RETRY_S = 60.0
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 30.0
# The server has not acted, and says so.
REFUSED_FOR_NOW = (429, 503)

NO_HEADERS: Mapping[str, str] = {}

Pause = Callable[[float], None]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer whose body is JSON; the names of its headers are in lower case."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """What a refusal says."""
        said = self.body.get("error", self.body) if isinstance(self.body, dict) else self.body
        if isinstance(said, dict):
            said = said.get("message", said)
        return said if isinstance(said, str) else json.dumps(said)


class Client:
    """One connection to the server at `url`, to be used as a context manager and by one thread at a time.

    A server that says that it is busy or stopping (429, 503) is asked again after the time that it names, for
    `retry_s` seconds. A connection that it has closed since the last answer is opened again.
    Each request has `headers`.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = TIMEOUT_S,
        retry_s: float = 0.0,
        pause: Pause = time.sleep,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ServingError(f"{url}: is no URL of a server. Expected one such as http://127.0.0.1:8501")
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.url = url
        self._path = parts.path.rstrip("/")
        self._connection = connect(parts.hostname, parts.port, timeout=timeout_s)
        self._retry_s = retry_s
        self._pause = pause
        self._headers = {"Content-Type": "application/json", **headers}

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *failure: Any) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: Optional[bytes] = None) -> Answer:
        """Return the answer, whatever its status. Raises ServingError if nobody gives one in JSON."""
        begun_s, pause_s = time.monotonic(), FIRST_PAUSE_S
        while True:
            answer = self._ask_once(method, path, body)
            wait_s = min(max(asked_pause_s(answer.headers), pause_s), LONGEST_PAUSE_S)
            over = time.monotonic() - begun_s + wait_s > self._retry_s
            if answer.status not in REFUSED_FOR_NOW or over:
                return answer
            self._pause(wait_s * (1 + random.random() / 4))
            pause_s *= 2

    def fetch(self, method: str, path: str, body: Optional[bytes] = None) -> Any:
        """Return the body of a successful answer. Raises ServingError with the server's message otherwise."""
        answer = self.ask(method, path, body)
        if answer.status != 200:
            raise refused(f"{self.url}{path}", answer)
        return answer.body

    def _ask_once(self, method: str, path: str, body: Optional[bytes]) -> Answer:
        try:
            response = self._send(method, path, body)
            content = response.read()
        except ConnectionRefusedError:
            self._connection.close()
            raise ServingError(
                f"{self.url}: nothing listens there.\nStart the server in another terminal: make serve"
            ) from None
        except OSError as error:
            self._connection.close()
            raise ServingError(
                f"{self.url}: no answer: {error}.\nSee what the server says, or start it: make serve"
            ) from None
        except http.client.HTTPException as error:
            self._connection.close()
            raise ServingError(
                f"{self.url}: no HTTP answer: {type(error).__name__}.\n"
                "Expected a prediction server. Start one: make serve"
            ) from None
        headers = {name.lower(): value for name, value in response.getheaders()}
        try:
            return Answer(response.status, json.loads(content.decode("utf-8")), headers)
        except ValueError:
            raise ServingError(
                f"{self.url}{path}: answered with status {response.status} and no JSON.\n"
                "Expected a prediction server. Start one: make serve"
            ) from None

    def _send(self, method: str, path: str, body: Optional[bytes]) -> http.client.HTTPResponse:
        """Send a request and return its answer's head. A server may close a connection that nobody uses."""
        kept = self._connection.sock is not None
        try:
            return self._request(method, path, body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._connection.close()
            if not kept:
                raise
        return self._request(method, path, body)

    def _request(self, method: str, path: str, body: Optional[bytes]) -> http.client.HTTPResponse:
        self._connection.request(method, self._path + path, body, self._headers)
        response: http.client.HTTPResponse = self._connection.getresponse()
        return response


def refused(place: str, answer: Answer) -> ServingError:
    return ServingError(f"{place}: answered with status {answer.status}: {answer.message}")


def asked_pause_s(headers: Mapping[str, str]) -> float:
    """Return the seconds that an answer asks to wait; 0 if it asks for none."""
    asked = headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() else 0.0


def model_path(name: str) -> str:
    return f"/v1/models/{quote(name, safe='')}"
