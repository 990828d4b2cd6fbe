"""What is told of a connection that fails."""

import os

import pytest
import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProtocolError

from esteira.google.connections import make_session, never_sent, session, told
from esteira.google.login import TokenServerError

REFUSED = "<urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: refused"


def retried(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(MaxRetryError(None, "/v1/a", reason))


@pytest.mark.parametrize(
    ("error", "expected", "unsent"),
    [
        (retried(NewConnectionError(None, REFUSED)), "Failed to establish a new connection: refused", True),
        (retried(ConnectTimeoutError(None, "timed out")), "timed out", True),
        (TokenServerError(retried(ConnectTimeoutError(None, "timed out"))), "timed out", True),
        (TokenServerError("the server is away"), "the server is away", True),
        (
            requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer"))),
            "reset by peer",
            False,
        ),
        (requests.ReadTimeout("Read timed out."), "Read timed out.", False),
        (requests.ConnectionError(), "ConnectionError", False),
    ],
)
def test_the_reason_is_told_alone(error: Exception, expected: str, unsent: bool) -> None:
    assert told(error) == expected
    assert never_sent(error) == unsent


def test_threads_share_connections_and_processes_do_not() -> None:
    assert session(True) is session(True)
    assert session(True) is not session(False)
    child = os.fork()
    if not child:
        os._exit(0 if session(True) is not before else 1)
    assert os.waitpid(child, 0)[1] == 0


before = session(True)


def test_only_connections_to_this_machine_go_past_proxies() -> None:
    assert [make_session(True).trust_env, make_session(False).trust_env] == [False, True]
