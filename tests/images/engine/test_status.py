import signal

import pytest

from esteira.images.engine.status import describe_run_status

TOLD = {
    1: "left with status 1",
    125: "could not be started, as docker failed (status 125 of docker run)",
    126: "could not be started in the image (status 126 of docker run)",
    127: "cannot be run: the image has no such program (status 127 of docker run)",
    137: "was killed in its container, by kill -9 or for lack of memory (status 137 of docker run)",
    143: "was ended in its container by the signal SIGTERM",
    163: "left with status 163",
    -signal.SIGKILL: "lost its container, as docker run was ended by the signal SIGKILL",
}


@pytest.mark.parametrize(("status", "text"), TOLD.items())
def test_each_status_is_told(status: int, text: str) -> None:
    assert describe_run_status(status, "docker") == text
