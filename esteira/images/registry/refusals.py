"""What registries refuse and networks break, told with what to type next."""

import socket
from typing import TYPE_CHECKING, Iterator

from esteira.errors import RegistryError
from esteira.images.registry.hosts import DOCKER_HUB, is_google

if TYPE_CHECKING:
    import requests

CONNECT_S, READ_S = 10, 60
AGAIN = "Run the command again: it goes on from what is there."


class UnreachableError(RegistryError):
    """A registry cannot be reached at all.

    The message is one line that a deploy's log can show.

    Next: check the network and HTTPS_PROXY, then run the command again; `images.mirrors` names what stands for a
    registry.
    """

    exit_code = 20


class CutError(Exception):
    """A connection broke, where the caller knows how to go on."""


def unreachable(host: str, error: BaseException) -> UnreachableError:
    return UnreachableError(f"The registry {host} cannot be reached: {reason(error)}.")


def reason(error: BaseException) -> str:
    """Return why a connection failed, in a few words."""
    import requests

    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy that HTTPS_PROXY or HTTP_PROXY names does not let it through"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted (REQUESTS_CA_BUNDLE names the file of those that are)"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"it takes no connection within {CONNECT_S} s"
    if isinstance(error, requests.exceptions.ReadTimeout):
        return "it does not answer in time"
    if any(isinstance(cause, socket.gaierror) for cause in causes(error)):
        return "its name is not known here"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes(error)):
        return "it refuses connections"
    return "the connection breaks"


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it came from, urllib3's own chain included."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop()
        if id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            linked = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
            waiting.extend(link for link in linked if isinstance(link, BaseException))


def is_unknown_or_closed(error: BaseException) -> bool:
    """Return whether nobody was there to talk to, so that asking again at once is no use."""
    import requests

    lost = (requests.exceptions.SSLError, requests.exceptions.ProxyError, requests.exceptions.Timeout)
    nobody = (socket.gaierror, ConnectionRefusedError)
    return isinstance(error, lost) or any(isinstance(cause, nobody) for cause in causes(error))


def refused(response: "requests.Response", host: str, subject: str) -> RegistryError:
    """Return the error for an answer that is not what was asked for."""
    status, reads = response.status_code, response.request.method in ("GET", "HEAD")
    answer = f"{status} {response.reason}{said(response)}"
    if status in (401, 403):
        return RegistryError(f"{subject}: the registry refuses access ({answer}).\n{log_in(host, reads)}")
    if status == 404 and not reads:
        return RegistryError(
            f"{subject}: the registry has no such repository ({answer}).\n{create_repository(subject)}"
        )
    if status == 404:
        return RegistryError(
            f"{subject}: is no longer there ({answer}).\n"
            "Expected an image that the registry has. Check its name; for a base, run: make pins"
        )
    if status == 429:
        return RegistryError(
            f"{subject}: the registry is asked too often ({answer}).\n"
            f"Wait a minute and run the command again, or ask it with an account. {log_in(host, reads)}"
        )
    return RegistryError(f"{subject}: the registry answers {answer}.\n{AGAIN}")


def log_in(host: str, reads: bool) -> str:
    """Return how to get credentials for a registry, to read or to write."""
    if is_google(host):
        return (
            f"Log in: gcloud auth login && gcloud auth configure-docker {host}    "
            f"The account needs the role roles/artifactregistry.{'reader' if reads else 'writer'}."
        )
    return "Log in: docker login" if host == DOCKER_HUB else f"Log in: docker login {host}"


def create_repository(subject: str) -> str:
    """Return how to make the repository of host/project/repository/image, where it is Artifact Registry's."""
    host, *path = subject.split("/")
    location = host[: -len("-docker.pkg.dev")] if host.endswith("-docker.pkg.dev") else ""
    if not location or len(path) < 3:
        return "Create it there, or check its name."
    return (
        f"Create it: gcloud artifacts repositories create {path[1]} --repository-format=docker "
        f"--location={location} --project={path[0]}"
    )


def said(response: "requests.Response") -> str:
    """Return the registry's own words, headed by a colon; empty if it gave none.

    Source of the form: distribution-spec v1.1, error codes.
    """
    try:
        error = response.json()["errors"][0]
        words = str(error.get("message") or error["code"]).strip()
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError):
        return ""
    return f": {words[:200]}" if words else ""
