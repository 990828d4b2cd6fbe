"""make smoke: what is asked, and what is shown."""

import io
import json
from typing import Any, Iterator, List

import pytest
from rich.console import Console

from esteira.errors import SettingsError, StateError
from esteira.serving.checks import Check
from esteira.serving.smoke import SmokeError, SmokeResult, require_passed
from esteira.serving.smoke_here import smoke_here
from esteira.settings import Settings
from tests.serving.answering import VERSION, Answering, answering
from tests.serving.small_model import deployed_model

pytestmark = pytest.mark.loopback


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as server:
        yield server


@pytest.fixture
def local(settings: Settings, server: Answering) -> Settings:
    """Settings of an environment that serves the model which the server answers for, and keeps no request."""
    deployed_model(settings, VERSION)
    serving = settings.serving.copy(update={"port": server.port})
    return settings.copy(update={"serving": serving, "log": settings.log.copy(update={"percent": 0})})


def shown(told: List[Any]) -> str:
    console = Console(file=io.StringIO(), width=300)
    for one in told:
        console.print(one, markup=False)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_running_server_is_asked_and_each_check_is_shown(local: Settings, server: Answering) -> None:
    told: List[Any] = []
    smoke_here(local, "table", told.append)
    lines = shown(told).splitlines()
    assert lines[0].startswith(f"Asking the server at {server.url}, which serves release ")
    assert lines[1].split() == ["check", "expected", "got"]
    assert lines[2].split() == ["✓", "version", "and", "state", VERSION, "AVAILABLE", VERSION, "AVAILABLE"]
    assert lines[-3].split()[:3] == ["✓", "request", "log"]
    assert lines[-1] == "all 24 checks passed"


def test_a_check_that_failed_is_shown_with_the_others_and_is_an_error(local: Settings, server: Answering) -> None:
    server.outputs = {**server.outputs, "confidence": ("DT_INT64",)}
    told: List[Any] = []
    with pytest.raises(SmokeError):
        smoke_here(local, "table", told.append)
    text = shown(told)
    assert "✗  signature serving_default" in text
    assert text.splitlines()[-1] == "1 of 3 checks failed"


def test_as_json_nothing_else_is_written(local: Settings) -> None:
    told: List[Any] = []
    smoke_here(local, "json", told.append)
    (text,) = told
    value = json.loads(text)
    assert value["passed"] is True
    seen = f"{VERSION} AVAILABLE"
    assert value["checks"][0] == {"name": "version and state", "passed": True, "expected": seen, "got": seen}


def test_what_is_typed_wrongly_is_told(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="^FORMAT=csv: expected table or json"):
        smoke_here(settings, "csv", print)
    with pytest.raises(StateError, match="nothing is deployed yet"):
        smoke_here(settings, "json", print)


@pytest.mark.parametrize(
    ("name", "told"), [("request log", "its requests are not kept"), ("a", "otherwise than it should")]
)
def test_what_failed_says_what_to_do(name: str, told: str) -> None:
    result = SmokeResult((Check(name, False, "b", "c"),))
    with pytest.raises(SmokeError, match=told) as raised:
        require_passed("model", result)
    first, second, *_ = str(raised.value).splitlines()
    assert (first, second) == ("model: the smoke test failed in 1 of 1 checks:", f"- {name}: expected b, got c")
    assert raised.value.result is result
