"""make smoke: what is asked, and what is shown."""

import io
import json
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from rich.console import Console

from esteira.errors import SettingsError, StateError
from esteira.monitoring.views import make_views
from esteira.monitoring.warehouse.database import open_warehouse
from esteira.serving.checks import Check
from esteira.serving.smoke import SmokeError, SmokeResult, require_passed
from esteira.serving.smoke_here import smoke_here, smoke_served
from esteira.settings import Settings
from tests.serving.answering import VERSION, Answering, answering
from tests.serving.small_model import deployed_model
from tests.serving.toy_folder import save_toy_model
from tests.serving.toy_store import ToyStore, url_of

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


@pytest.mark.programs
@pytest.mark.slow
def test_a_server_with_other_settings_is_asked_for_them_and_its_views_show_none_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "1732300000"
    save_toy_model(model)
    toys = ToyStore(tmp_path / "state", model)
    toys.promote(toys.add(1732300000))
    monkeypatch.setenv("ESTEIRA_LOG_TEXT", "redact")
    with toys.server() as process:
        port = int(url_of(process).rpartition(":")[2])
        here = toys.settings.copy(update={"serving": toys.settings.serving.copy(update={"port": port})})
        assert here.log.text == "keep"
        last = smoke_served(here, print).checks[-1]
        assert (last.name, last.passed) == ("request log", True)
        with open_warehouse(here) as warehouse:
            rows = warehouse.query("look", "SELECT DISTINCT endpoint FROM `esteira.request_log`")
            make_views(warehouse, here)
            shown = warehouse.query("look", "SELECT COUNT(*) AS rows FROM `esteira.requests`")
    assert rows == [{"endpoint": "projects/local/locations/local/endpoints/sentiment-local-check"}]
    assert shown == [{"rows": 0}]


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
