"""The server of `make serve` as a real process, whose `current` moves while clients ask it without a pause."""

import asyncio
import http.client
import json
import signal
import time
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple
from urllib.parse import urlsplit

import pytest

from esteira.serving.catalogue import Catalogue
from esteira.serving.counts import Counts
from esteira.serving.identity import Candidate, Identity
from esteira.serving.reload import Reloader
from esteira.serving.sources import Split
from esteira.serving.traffic import change_traffic
from tests.serving.load import Load
from tests.serving.test_app import samples
from tests.serving.toy_app import ToyApp
from tests.serving.toy_folder import save_toy_model
from tests.serving.toy_store import WAIT_S, ToyStore, url_of

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]

PREDICT = "/v1/models/sentiment:predict"
VERTEX = "/v1/projects/p/locations/l/endpoints/sentiment-local"


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a model") / "1732300000"
    save_toy_model(folder)
    return folder


@pytest.fixture
def toys(tmp_path: Path, model_dir: Path) -> ToyStore:
    return ToyStore(tmp_path / "state", model_dir)


def get(url: str, path: str) -> Tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=WAIT_S)
    connection.request("GET", path)
    response = connection.getresponse()
    content = response.read().decode()
    connection.close()
    return response.status, content


def metrics(url: str) -> Dict[str, float]:
    return samples(get(url, "/metrics")[1])


def until_metric(url: str, name: str, value: float) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while metrics(url)[name] != value:
        assert time.monotonic() < deadline_s, f"{name} is {metrics(url)[name]}, expected {value}"
        time.sleep(0.1)


def test_no_request_fails_while_models_change_and_a_broken_one_changes_nothing(toys: ToyStore) -> None:
    first, second = toys.add(1), toys.add(2)
    broken = toys.add(3, is_broken=True)
    toys.promote(first)
    with toys.server() as process:
        url = url_of(process)
        with Load(url, PREDICT) as load:
            load.until("1")
            change_traffic(toys.settings, second.id, "40")
            load.until("1", "2")
            # Of requests that were all sent after the change.
            shared = load.until("1", "2")
            assert 40 < shared["2"] < 120
            split: Any = json.loads(get(url, VERTEX)[1])["trafficSplit"]
            assert sorted(split.values()) == [40, 60]
            # The split was made for the first release, and ends when another becomes current.
            toys.promote(second)
            load.until("2")
            assert get(url, "/v1/models/sentiment/versions/1")[0] == 404
            toys.promote(broken)
            until_metric(url, "esteira_failed_reloads_total", 1)
            load.until("2")
            toys.promote(toys.restore(first))
            load.until("1")
        assert load.failures == []
        assert {status for status, _ in load.answers} == {200}
        until_metric(url, "esteira_reloads_total", 3)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0
    assert output.decode().splitlines() == [
        "Now serving sentiment version 1 (60 %) and version 2 (40 %)",
        "Now serving sentiment version 2",
        "Now serving sentiment version 1",
    ]
    told = errors.decode().splitlines()
    assert told[0].startswith(f"{toys.settings.folder}/serving/3/saved_model.pb: is damaged: ")
    assert told[-1] == "Still serving sentiment version 2. Tried again when another is deployed."


def test_a_model_that_a_rollback_brings_back_is_not_loaded_again(toys: ToyStore) -> None:
    first = toys.add(1)
    toys.promote(first)
    with toys.server() as process:
        url = url_of(process)
        before = json.loads(get(url, VERTEX)[1])
        toys.promote(toys.restore(first))
        until_metric(url, "esteira_reloads_total", 1)
        assert json.loads(get(url, VERTEX)[1]) == before
        assert [one["displayName"] for one in before["deployedModels"]] == [first.id]


def test_a_store_that_is_damaged_is_told_once_and_changes_nothing(toys: ToyStore) -> None:
    toys.promote(toys.add(1))
    with toys.server() as process:
        url = url_of(process)
        toys.store.write("current", b"nonsense")
        until_metric(url, "esteira_failed_reloads_total", 1)
        # Looked at twice a second, it is told once.
        time.sleep(1.5)
        assert metrics(url)["esteira_failed_reloads_total"] == 1
        assert get(url, "/readyz")[0] == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=WAIT_S)
    assert errors.decode().count("holds no id of a release") == 1


class Failing:
    """A source of toy models whose `fault` is raised when it is asked what is wanted."""

    name, endpoint = "toy", "projects/local/locations/local/endpoints/toy-local"

    def __init__(self) -> None:
        self.release = "id-3"
        self.fault: Optional[Exception] = None

    def wanted(self) -> Split:
        if self.fault is not None:
            raise self.fault
        return Split(self.release)

    def candidate(self, release: str) -> Candidate:
        return Candidate(Path(release), self.name, Identity(self.endpoint, release, release))


def test_whatever_fails_is_told_once_and_looked_at_again(capsys: pytest.CaptureFixture[str]) -> None:
    source, toy = Failing(), ToyApp()
    models = {share.model.deployed.id: share.model for share in toy.shares}
    catalogue, counts = Catalogue(source.name, source.endpoint), Counts()
    reloader = Reloader(source, lambda candidate: models[candidate.identity.id], catalogue, counts)

    async def until(is_so: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not is_so():
            assert time.monotonic() < deadline_s
            await asyncio.sleep(0.05)

    async def run() -> None:
        reloader.start(asyncio.get_running_loop(), lambda: None, lambda: None)
        await until(lambda: bool(catalogue.shares))
        source.fault = UnicodeError("no text")
        await until(lambda: counts.failed_reloads == 1)
        await asyncio.sleep(1.2)
        source.fault, source.release = None, "id-12"
        await until(lambda: counts.reloads == 1)

    asyncio.run(run())
    assert reloader.stop()
    assert (counts.failed_reloads, counts.reloads) == (1, 1)
    assert capsys.readouterr().err == (
        "UnicodeError: no text\nStill serving toy version 3. Tried again when another is deployed.\n"
    )


def test_the_current_release_is_kept_in_the_log_of_requests(toys: ToyStore) -> None:
    toys.promote(toys.add(1))
    with toys.server() as process:
        url = url_of(process)
        with Load(url, PREDICT) as load:
            load.until("1")
        assert metrics(url)["esteira_log_records_total"] == len(load.answers)
