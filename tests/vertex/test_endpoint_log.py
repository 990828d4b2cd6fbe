"""Who logs what is asked, when log.text has changed between releases: never both, and never a text as it came."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from esteira.errors import GoogleError, ServingError
from esteira.local.cloud.endpoints import Container
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.server import served
from esteira.release.history import keep_release, make_current, read_pointer
from esteira.settings import Settings
from esteira.vertex import split
from esteira.vertex.endpoint_log import settle_log
from esteira.vertex.predict import ask_endpoint
from esteira.vertex.promote import switch
from esteira.vertex.smoke import smoke_release
from esteira.vertex.traffic import promote_release, restore_release
from tests.vertex.endpoint_project import CHECK, LOCATION, SERVING, Project

pytestmark = pytest.mark.loopback

ONE, TWO = (f"{number:012x}" for number in (1, 2))
LOG = "predictRequestResponseLoggingConfig"
PATCH = "aiplatform.projects.locations.endpoints.patch"
UNTIL = "until the next deploy: make deploy ENV=dev"
UNLOGGED = (
    'request log: nothing is logged: log.text is "hash", and release {} was deployed without a log of its own, which '
    f"would replace texts. So it is {UNTIL}"
)


class Logging(Project):
    """A project that keeps who has logged each request: the container as its arguments have it, and the endpoint."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.logged: List[str] = []
        super().__init__(settings, folder)
        self.endpoints.log = self.log

    def start(self, model: Dict[str, Any]) -> Container:
        container, itself = super().start(model), "--log-table" in model["containerSpec"]["args"]

        def answer(body: bytes) -> Tuple[int, bytes]:
            if itself:
                self.logged.append("container")
            return container(body)

        return answer

    def log(self, endpoint: Any, deployed_id: str, request: bytes, response: bytes) -> None:
        if endpoint.get(LOG, {}).get("enabled"):
            self.logged.append("endpoint")

    def by(self) -> List[str]:
        """Ask once, and return who has logged it."""
        self.logged.clear()
        ask_endpoint(self.settings, self.api, [{"text": "good"}])
        return list(self.logged)

    def smoke(self, number: int) -> None:
        smoke_release(self.settings, self.api, self.store, self.release(number))

    def promote(self, number: int) -> List[str]:
        """Give a release the traffic, and return what is said of the log."""
        promote_release(self.settings, self.api, self.release(number), settle_s=0)
        return self.finish(number)

    def restore(self, number: int) -> List[str]:
        restore_release(self.settings, self.api, self.store, self.release(number), settle_s=0)
        return self.finish(number)

    def finish(self, number: int) -> List[str]:
        return switch(self.settings, self.api, self.release(number), says=True)[1]()

    def deploy(self, number: int, text: str) -> List[str]:
        self.set("log", text=text)
        self.smoke(number)
        return self.promote(number)


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Iterator[Logging]:
    project = Logging(settings, tmp_path / "bucket")
    with served(project.stand_in):
        yield project


def test_the_endpoint_logs_once_the_first_release_is_promoted(project: Logging) -> None:
    project.smoke(1)
    assert project.logged == []
    assert (project.promote(1), project.by()) == ([], ["endpoint"])
    assert project.endpoints.known[SERVING][LOG] == {
        "enabled": True,
        "samplingRate": 1.0,
        "bigqueryDestination": {"outputUri": "bq://demo-project.esteira.request_log"},
    }


def test_the_endpoint_for_checks_logs_nothing(project: Logging) -> None:
    project.deploy(1, "keep")
    project.logged.clear()
    project.smoke(2)
    assert (project.logged, project.endpoints.known[CHECK][LOG]) == ([], {"enabled": False})


def test_the_rate_follows_the_settings(project: Logging) -> None:
    project.deploy(1, "keep")
    for percent, log in ((25, (True, 0.25)), (0, (False, None)), (100, (True, 1.0))):
        project.set("log", percent=percent)
        told = project.promote(1)
        config = project.endpoints.known[SERVING][LOG]
        assert (config["enabled"], config.get("samplingRate")) == log
        assert told == ([] if percent else ["request log: log.percent is 0: it is off"])


def test_texts_that_were_hashed_are_logged_by_the_old_model_alone_until_the_new_one_serves(project: Logging) -> None:
    assert (project.deploy(1, "hash"), project.by()) == ([], ["container"])
    project.set("log", text="keep")
    project.smoke(2)
    assert project.by() == ["container"]
    assert (project.promote(2), project.by()) == ([], ["endpoint"])


def test_texts_that_may_not_be_kept_any_more_are_not_logged_from_the_next_smoke_test_on(
    project: Logging, capsys: pytest.CaptureFixture[str]
) -> None:
    project.deploy(1, "keep")
    project.set("log", text="hash")
    project.wrong.add(TWO)
    with pytest.raises(ServingError, match="the smoke test failed"):
        project.smoke(2)
    assert project.by() == []
    assert capsys.readouterr().out == (
        f'request log: off at the endpoint from now on, as log.text is "hash": of release {ONE}, which serves, nothing '
        "is logged until another one has the traffic\n"
    )
    project.wrong.clear()
    project.smoke(2)
    assert (project.promote(2), project.by()) == ([], ["container"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("first", "second", "logs"), [("hash", "keep", "container"), ("keep", "hash", "endpoint")])
def test_after_a_smoke_test_that_failed_the_former_settings_hold_again(
    project: Logging, first: str, second: str, logs: str
) -> None:
    project.deploy(1, first)
    project.set("log", text=second)
    project.wrong.add(TWO)
    with pytest.raises(ServingError):
        project.smoke(2)
    project.set("log", text=first)
    project.promote(1)
    assert project.by() == [logs]


@pytest.mark.parametrize("text", ["hash", "keep"])
def test_a_rollback_to_a_model_that_logs_itself_has_the_endpoint_log_nothing(project: Logging, text: str) -> None:
    project.deploy(1, "hash")
    project.deploy(2, "keep")
    project.set("log", text=text)
    assert (project.restore(1), project.by()) == ([], ["container"])


def test_a_rollback_to_a_model_that_does_not_has_the_endpoint_log_once_the_traffic_has_moved(project: Logging) -> None:
    project.deploy(1, "keep")
    project.deploy(2, "hash")
    project.set("log", text="keep")
    restore_release(project.settings, project.api, project.store, project.release(1), settle_s=0)
    assert project.by() == []
    assert (project.finish(1), project.by()) == ([], ["endpoint"])


def test_a_rollback_to_a_model_that_would_not_replace_texts_says_that_nothing_is_logged(project: Logging) -> None:
    project.deploy(1, "keep")
    project.deploy(2, "hash")
    assert (project.restore(1), project.by()) == ([UNLOGGED.format(ONE)], [])
    assert project.restore(2) == []
    assert project.by() == ["container"]


def test_a_rollback_to_the_model_that_serves_ends_what_the_endpoint_logs(project: Logging) -> None:
    project.deploy(1, "hash")
    project.deploy(2, "keep")
    project.set("log", text="hash")
    assert (project.restore(2), project.by()) == ([UNLOGGED.format(TWO)], [])


def test_a_container_logs_as_it_was_deployed_though_the_settings_log_nothing(project: Logging) -> None:
    project.deploy(1, "hash")
    project.set("log", percent=0)
    assert project.promote(1) == [
        f"request log: log.percent is 0, but release {ONE} logs itself, as it was deployed, {UNTIL}"
    ]


def test_traffic_that_goes_back_takes_the_log_with_it(project: Logging) -> None:
    project.deploy(1, "hash")
    project.deploy(2, "keep")
    project.odd.add(ONE)
    with pytest.raises(ServingError, match="The traffic is as it was: 100 %"):
        project.restore(1)
    assert project.by() == ["endpoint"]


def test_traffic_that_may_not_be_moved_keeps_its_log(project: Logging) -> None:
    project.deploy(1, "hash")
    project.deploy(2, "keep")
    project.stand_in.faults.add(Fault(PATCH, "denied", skip=1))
    with pytest.raises(GoogleError, match="cannot move the traffic of the endpoint sentiment-dev"):
        project.restore(1)
    assert project.by() == ["endpoint"]


def test_a_log_that_cannot_be_switched_off_moves_no_traffic(project: Logging) -> None:
    project.deploy(1, "hash")
    project.deploy(2, "keep")
    project.stand_in.faults.add(Fault(PATCH, "denied"))
    with pytest.raises(GoogleError, match="cannot set the request log of the endpoint sentiment-dev"):
        project.restore(1)
    assert (project.deployed(), project.by()) == ({ONE: 0, TWO: 100}, ["endpoint"])


def test_what_both_have_logged_by_mistake_is_ended_by_the_next_smoke_test(
    project: Logging, capsys: pytest.CaptureFixture[str]
) -> None:
    project.deploy(1, "keep")
    log = project.endpoints.known[SERVING][LOG]
    project.deploy(2, "hash")
    capsys.readouterr()
    project.endpoints.known[SERVING][LOG] = log
    project.set("log", text="keep")
    assert project.by() == ["container", "endpoint"]
    project.smoke(3)
    assert project.by() == ["container"]
    assert capsys.readouterr().out == (f"request log: off at the endpoint, as its model logs itself: release {TWO}\n")


@pytest.fixture
def kept(project: Logging, monkeypatch: pytest.MonkeyPatch) -> Logging:
    """The project, whose second release is current once both are deployed."""
    monkeypatch.setattr(split, "open_store", lambda settings: project.store)
    for number in (1, 2):
        keep_release(project.store, project.release(number))
    make_current(project.store, TWO, if_generation=read_pointer(project.store).generation)
    return project


@pytest.mark.parametrize(("first", "second"), [("hash", "keep"), ("keep", "hash")])
def test_a_model_that_logs_itself_and_one_that_does_not_share_no_traffic(
    kept: Logging, first: str, second: str
) -> None:
    kept.deploy(1, first)
    kept.deploy(2, second)
    itself, other = (ONE, TWO) if first == "hash" else (TWO, ONE)
    with pytest.raises(ServingError) as told:
        split.change_traffic(kept.settings, ONE, "10", kept.api)
    assert str(told.value) == (
        f"release {itself}: its model logs its requests itself, with their texts replaced, and that of release {other} "
        "leaves it to the endpoint, which logs for all models or for none: requests would be logged twice, or not at "
        "all.\nExpected two that were deployed with the same log.text. To serve the former one alone: "
        f"make rollback RELEASE={ONE} ENV=dev"
    )
    assert kept.deployed() == {ONE: 0, TWO: 100}


@pytest.mark.parametrize(("text", "logs"), [("hash", ["container"]), ("keep", ["endpoint"])])
def test_two_models_that_log_alike_share_the_traffic(kept: Logging, text: str, logs: List[str]) -> None:
    for number in (1, 2):
        kept.deploy(number, text)
    told = split.change_traffic(kept.settings, ONE, "50", kept.api)
    assert told == f"50 % of the traffic goes to release {TWO}, 50 % to release {ONE}"
    assert [kept.by() for _ in range(3)] == [logs] * 3


def test_a_split_of_models_that_would_not_replace_texts_says_that_nothing_is_logged(kept: Logging) -> None:
    for number in (1, 2):
        kept.deploy(number, "keep")
    kept.set("log", text="hash")
    assert split.change_traffic(kept.settings, ONE, "10", kept.api).splitlines() == [
        f"90 % of the traffic goes to release {TWO}, 10 % to release {ONE}",
        UNLOGGED.format(ONE),
        UNLOGGED.format(TWO),
    ]
    assert kept.by() == []


def test_a_log_that_is_as_it_should_be_is_left_alone(project: Logging) -> None:
    project.deploy(1, "keep")
    patches = len(project.stand_in.called(PATCH))
    settle_log(project.settings, project.api, project.endpoints.known[SERVING])
    assert len(project.stand_in.called(PATCH)) == patches


def test_the_endpoint_that_the_pusher_of_tfx_has_made_logs_once_its_release_is_promoted(project: Logging) -> None:
    project.set("endpoint", by="pusher")
    body = {"displayName": "sentiment-dev"}
    project.api.call("create", "aiplatform", "POST", f"v1/{LOCATION}/endpoints", body=body)
    assert switch(project.settings, project.api, project.release(1))[1]() == []
    (endpoint,) = project.endpoints.known.values()
    assert endpoint[LOG]["enabled"]
