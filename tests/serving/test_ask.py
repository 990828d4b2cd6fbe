import io
import socket

import pytest
from rich.console import Console

from esteira.errors import StateError
from esteira.serving.ask import answer_table, ask, serves
from esteira.serving.client import Prediction
from esteira.settings import Settings


def test_a_users_brackets_are_no_markup() -> None:
    console = Console(file=io.StringIO(), width=100, record=True)
    console.print(answer_table([Prediction("I said [ok] [/b]", "[spam]", 0.9, {"[spam]": 0.9, "ham": 0.1})]))
    header, row = console.export_text().splitlines()
    assert header.split() == ["text", "label", "confidence", "[spam]", "ham"]
    assert row.split() == ["I", "said", "[ok]", "[/b]", "[spam]", "0.900", "0.900", "0.100"]


def test_nothing_deployed_is_told(settings: Settings) -> None:
    with pytest.raises(StateError, match="nothing is deployed yet"):
        ask(settings, ["a"])


@pytest.mark.loopback
def test_another_program_on_the_port_is_not_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert not serves(url, "sentiment", 1)
    assert not serves(url, "sentiment", 1)
