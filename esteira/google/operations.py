"""Long-running operations: asked for until they are done.

https://cloud.google.com/vertex-ai/docs/general/long-running-operations
"""

import time
from typing import Callable, Iterator

from esteira.errors import GoogleError
from esteira.google.api import Api, Json

FIRST_S = 1.0
GROWTH = 1.5


def pauses(longest_s: float, first_s: float = FIRST_S) -> Iterator[float]:
    """Yield the seconds to wait between two looks: few at first, then more, at most `longest_s`."""
    pause_s = first_s
    while True:
        yield min(pause_s, longest_s)
        pause_s *= GROWTH


def wait_for_operation(
    api: Api,
    what: str,
    service: str,
    operation: Json,
    *,
    timeout_s: float,
    longest_s: float = 10.0,
    version: str = "v1",
    pause: Callable[[float], None] = time.sleep,
) -> Json:
    """Return the response of an operation once it is done.

    Raises GoogleError with the operation's own error, or if it takes longer than `timeout_s`.
    """
    limit_s = time.monotonic() + timeout_s
    for pause_s in pauses(longest_s):
        if operation.get("done"):
            break
        if time.monotonic() > limit_s:
            raise GoogleError(f"Google Cloud: cannot {what}: it takes longer than {timeout_s:g} s. Run it again.")
        pause(pause_s)
        operation = api.call(what, service, "GET", f"{version}/{operation['name']}")
    error = operation.get("error")
    if error:
        raise GoogleError(f"Google Cloud: cannot {what}: {error.get('message', error)}", reason=str(error.get("code")))
    response: Json = operation.get("response", {})
    return response
