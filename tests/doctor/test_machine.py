"""What make doctor finds on a machine."""

import socket
from typing import Callable

import pytest

from esteira.doctor.finding import Finding
from esteira.doctor.machine import check_disk, check_language, check_port, check_python
from esteira.settings import Settings


def test_this_python_is_the_one() -> None:
    (found,) = check_python()
    assert (found.good, found.remedy) == (True, "")


def test_room_is_asked_of_a_folder_that_is_not_made_yet(settings: Settings) -> None:
    (found,) = check_disk(settings)
    assert not settings.state.exists()
    assert found.said.endswith(f" GB free at {settings.state}")


@pytest.mark.loopback
def test_a_port_that_is_taken_is_told_with_another_one(make_settings: Callable[..., Settings]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        (found,) = check_port(make_settings(serving__port=str(port)))
    assert found[:3] == ("port", None, f"{port}: another program listens there")
    assert found.remedy.startswith("Only make serve needs it. Run: make serve PORT=")
    assert list(check_port(make_settings(serving__port=str(port)))) == [Finding("port", True, f"{port} is free")]


def test_the_terminals_locale_is_told_where_it_is_another() -> None:
    assert list(check_language({"LC_ALL": "", "LANG": "en_GB.UTF-8"})) == [
        Finding("texts", True, "are UTF-8, as LANG=en_GB.UTF-8 says")
    ]
    assert list(check_language({"LC_ALL": "C", "LANG": "en_GB.UTF-8"})) == [
        Finding(
            "texts",
            None,
            "are UTF-8, and LC_ALL=C says otherwise",
            "Where a terminal shows marks wrongly: export LC_ALL=C.UTF-8",
        )
    ]
