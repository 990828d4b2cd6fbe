"""Requests to Google's REST APIs: signed, repeated where that can do no harm, and refusals explained."""

import json
import random
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, Union

from esteira.errors import GoogleError
from esteira.google.addresses import base_url, is_local_url
from esteira.google.connections import never_sent, session, told, whole
from esteira.google.login import Login, TokenServerError
from esteira.google.refusals import ABORTED, AGAIN, LostError, read_refusal, refused

if TYPE_CHECKING:
    import requests

TIMEOUT_S = (10.0, 120.0)  # to connect, and between two pieces of an answer
RETRY_S = 60.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# The server has not acted, and says so.
REFUSED_FOR_NOW = (429, 503)
# Where ABORTED means that another operation on the same thing goes on: to ask again is enough. Elsewhere, as of a
# policy, what was read before has changed, so that the caller reads again.
HELD_UP = ("aiplatform",)
# It may have acted.
UNKNOWN = (408, 500, 502, 504)

Json = Dict[str, Any]
# A parameter that may be given several times has a list.
Query = Mapping[str, Union[str, int, bool, List[str]]]
Pause = Callable[[float], None]


class Api:
    """The APIs of one project in one region.

    `environment` is its name for messages (`ENV=name`). A request that fails in passing is repeated for
    `retry_s` seconds, or as long as the server asks to wait, at most LONGEST_PAUSE_S at a time.
    """

    def __init__(
        self,
        project: str,
        region: str,
        environ: Mapping[str, str],
        *,
        environment: str = "",
        retry_s: float = RETRY_S,
        pause: Pause = time.sleep,
    ) -> None:
        self.project = project
        self.region = region
        self.environment = environment
        self.environ = environ
        self._retry_s = retry_s
        self._pause = pause
        self._login = Login(environ)

    def call(
        self,
        what: str,
        service: str,
        method: str,
        path: str,
        *,
        body: Optional[Json] = None,
        query: Optional[Query] = None,
        repeat: Optional[bool] = None,
        find: Optional[Callable[[], Optional[Json]]] = None,
    ) -> Json:
        """Return the answer's JSON, {} where it has none.

        `what` completes "cannot …" in a message; `path` begins with the API's version, but for storage and
        bigquery. GET, PUT and DELETE are repeated after any passing failure, other methods only where the
        server says that it has not acted, unless `repeat` is given. With `find` another method is repeated,
        too: after a failure that leaves open whether the server acted, `find` returns what it made, or None.

        Raises NotFoundError, ExistsError, ChangedError, AbortedError, LostError or GoogleError.
        """
        send = lambda: self.request(service, method, path, body=body, query=query)  # noqa: E731
        harmless = method in ("GET", "PUT", "DELETE") if repeat is None else repeat
        try:
            safe = harmless or find is not None
            response = self.repeated(what, send, safe, before=find, held_up=service in HELD_UP)
        except _Found as found:
            return found.body
        return self.read(what, response)

    def read(self, what: str, response: "requests.Response") -> Json:
        """Return the JSON of an answer; the error that it stands for if it is a refusal, or no JSON."""
        self.check(what, response)
        body = json_of(response)
        if body is None:
            raise GoogleError(f"Google Cloud: cannot {what}: the answer is no JSON\n{AGAIN}", response.status_code)
        return body if isinstance(body, dict) else {}

    def check(self, what: str, response: "requests.Response") -> None:
        """Raise the error that an answer stands for, unless it is one of success. Redirections are not followed."""
        if not 200 <= response.status_code < 300:
            body = json_of(response)
            said = {"error": plain_text(response)} if body is None else body
            counted = self._login.quota_project or ""
            raise refused(what, response.status_code, said, self.project, self.environment, counted)

    def pages(self, what: str, service: str, path: str, key: str, query: Optional[Query] = None) -> Iterator[Json]:
        """Yield the entries of a listing, which stand under `key`, over all its pages."""
        token = ""
        while True:
            asked = {**(query or {}), **({"pageToken": token} if token else {})}
            page = self.call(what, service, "GET", path, query=asked)
            yield from page.get(key, [])
            token = page.get("nextPageToken", "")
            if not token:
                return

    def base(self, service: str) -> str:
        return base_url(service, self.region, self.environ)

    def request(
        self,
        service: str,
        method: str,
        path: str,
        *,
        body: Optional[Json] = None,
        query: Optional[Query] = None,
        url: str = "",
        **options: Any,
    ) -> "requests.Response":
        """Send one request and return its answer, whatever its status; `url` in place of service and path.

        Raises requests' own errors, and GoogleError for a URL that a token must not be sent to. `options` go to
        requests; with stream=True the caller looks that all of the answer came. An expired token is renewed once.
        """
        address = url or self.base(service) + path
        if not address.startswith("https://") and not is_local_url(address):
            raise GoogleError(f"Google Cloud: {address}: expected https://…, or http:// on 127.0.0.1")
        if body is not None:
            options["data"] = json.dumps(body).encode("utf-8")
            options["headers"] = {"Content-Type": "application/json", **options.get("headers", {})}
        options = {"timeout": TIMEOUT_S, "allow_redirects": False, **options}
        params = {key: wire(value) for key, value in (query or {}).items()}
        for fresh in (False, True):
            headers = {**options.get("headers", {}), **self._headers(address, fresh)}
            sent = {**options, "headers": headers, "params": params, "auth": keep_headers}
            response = session(is_local_url(address)).request(method, address, **sent)
            if not sent.get("stream"):
                whole(response)
            if response.status_code != 401 or fresh or is_local_url(address):
                return response
        raise AssertionError("the second attempt returns")

    def repeated(
        self,
        what: str,
        send: Callable[[], "requests.Response"],
        harmless: bool,
        *,
        before: Optional[Callable[[], Optional[Json]]] = None,
        held_up: bool = False,
    ) -> "requests.Response":
        """Return an answer that is none of a passing failure; `before` is asked before an unknown end is repeated.

        With `held_up` so is a refusal that says ABORTED: a lost request of one's own may be what goes on.
        Raises LostError where there was no answer and it would do harm to ask again, or time is over.
        """
        begun_s, waited_s, pause_s = time.monotonic(), 0.0, FIRST_PAUSE_S
        while True:
            response, error = attempt(send)
            status = response.status_code if response is not None else 0
            unknown = status in UNKNOWN or (response is None and not never_sent(error))
            aborted = held_up and is_aborted(response)
            if response is not None and not unknown and not aborted and status not in REFUSED_FOR_NOW:
                return response
            wait_s = min(max(asked_pause_s(response), pause_s), LONGEST_PAUSE_S)
            over = max(time.monotonic() - begun_s, waited_s) + wait_s > self._retry_s
            if over or (unknown and not harmless):
                if response is not None and not (unknown and harmless and before):
                    return response
                raise self._lost(what, error, status) from error
            self._pause(wait_s * (1 + random.random() / 4))
            waited_s, pause_s = waited_s + wait_s, pause_s * 2
            found = before() if (unknown or aborted) and before else None
            if found is not None:
                raise _Found(found)

    def _headers(self, address: str, fresh: bool) -> Dict[str, str]:
        if is_local_url(address):
            return {}
        headers = {"Authorization": f"Bearer {self._login.token(fresh=fresh)}"}
        counted = self._login.counted_for(self.project)
        return {**headers, "X-Goog-User-Project": counted} if counted else headers

    def _lost(self, what: str, error: Optional[Exception], status: int) -> LostError:
        said = f"status {status}" if status else told(error)
        return LostError(f"Google Cloud: cannot {what}: no answer: {said}\nCheck the network. {AGAIN}", said=said)


class _Found(Exception):
    """What a request made whose answer was lost."""

    def __init__(self, body: Json) -> None:
        super().__init__()
        self.body = body


def attempt(send: "Callable[[], requests.Response]") -> "Tuple[Optional[requests.Response], Optional[Exception]]":
    import requests

    try:
        return send(), None
    except (requests.RequestException, TokenServerError) as error:
        return None, error


def is_aborted(response: "Optional[requests.Response]") -> bool:
    return response is not None and response.status_code == 409 and read_refusal(json_of(response)).word == ABORTED


def asked_pause_s(response: "Optional[requests.Response]") -> float:
    """Return the seconds that an answer asks to wait; 0 if it asks for none."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    return float(asked) if asked.isdigit() else 0.0


def json_of(response: "requests.Response") -> Any:
    """Return an answer's JSON, {} where it is empty, None where it is something else."""
    try:
        return response.json() if response.content else {}
    except ValueError:
        return None


def plain_text(response: "requests.Response") -> str:
    """Return the first line of an answer that is text, as where contents are uploaded; of a page none."""
    kind = response.headers.get("Content-Type", "text/plain")
    return response.text.strip().partition("\n")[0][:200] if kind.startswith("text/plain") else ""


def wire(value: Union[str, int, bool, List[str]]) -> Union[str, List[str]]:
    if isinstance(value, list):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def keep_headers(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
    """Keep requests from putting in what ~/.netrc holds."""
    return request
