from typing import Any, Dict, List, Tuple

import pytest

from esteira.deploy.watch import check_verdict, watch_build
from esteira.errors import BuildError, GoogleError, NotBlessedError
from esteira.google.api import Api
from esteira.local.cloud.faults import Fault
from esteira.progress import Progress
from esteira.release.history import keep_release, make_current
from esteira.release.store import open_store
from tests.builds.scene import Scene
from tests.vertex.scripted import RELEASE, release_of

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

GET = r"cloudbuild\..*builds\.get"
BUILD = "b0b0b0b0-0000-4000-8000-000000000001"
ENDING = (
    f"\nIts log: make logs ENV=dev, or https://console.cloud.google.com/cloud-build/builds;region=europe-west1/{BUILD}"
    "?project=demo-project\n"
    "Nothing was promoted: what was served before still is. "
    "Mend it and run: make deploy ENV=dev    Finished tasks are not run again."
)
GOES_WELL: List[Dict[str, Any]] = [
    {"status": "QUEUED"},
    {"status": "WORKING", "steps": {"open": ("WORKING", None)}, "say": [("MAIN", "FETCHSOURCE")]},
    {
        "steps": {"open": ("SUCCESS", 0), "data": ("WORKING", None)},
        "say": [("data", "data: 3 rows\nand nothing else"), ("data", "done")],
    },
    {"steps": {"data": ("SUCCESS", 0), "sync": ("SUCCESS", 0), "release": ("WORKING", None)}},
    {"steps": {name: ("SUCCESS", 0) for name in ("release", "run", "smoke", "promote")}, "status": "SUCCESS"},
]


class Heard(Progress):
    """What a watcher tells."""

    def __init__(self) -> None:
        super().__init__([])
        self.told: List[Tuple[str, ...]] = []

    def started(self, name: str) -> None:
        self.told.append(("started", name))

    def finished(self, name: str, outcome: str, detail: str = "") -> None:
        self.told.append((outcome, name, detail) if detail else (outcome, name))

    def line(self, name: str, text: str) -> None:
        self.told.append(("line", name, text))


def watch(scene: Scene, *moments: Dict[str, Any]) -> Tuple[Dict[str, Any], List[Tuple[str, ...]]]:
    build, heard = scene.add_build(*moments), Heard()
    return watch_build(scene.settings, scene.api, build, heard, pause=scene.paused_s.append), heard.told


def verdict(scene: Scene, **ended: Any) -> BuildError:
    """Return what is said of a build that ended so."""
    build, _ = watch(scene, ended)
    with pytest.raises(BuildError) as caught:
        check_verdict(scene.settings, build)
    return caught.value


def test_a_build_that_fails_once_its_release_is_promoted_says_so(scene: Scene) -> None:
    store = open_store(scene.settings)
    keep_release(store, release_of().copy(update={"build": BUILD}))
    make_current(store, RELEASE, if_generation=0)
    error = verdict(scene, status="FAILURE", steps={"promote": ("FAILURE", 21)})
    assert "Nothing was promoted" not in str(error)
    assert f"\nIts release {RELEASE} is promoted, and serves. Mend it and run: make deploy ENV=dev" in str(error)


def test_a_promotion_that_failed_does_not_say_that_nothing_has_changed(scene: Scene) -> None:
    error = verdict(scene, status="FAILURE", steps={"promote": ("FAILURE", 21)})
    told = "\nIts release did not become current: the log says which model has the traffic. Mend it and run: make"
    assert told in str(error)


def test_each_step_is_told_once_and_each_line_under_its_step(scene: Scene) -> None:
    build, told = watch(scene, *GOES_WELL)
    check_verdict(scene.settings, build)
    assert told == [
        ("started", "open"),
        ("line", "MAIN", "FETCHSOURCE"),
        ("succeeded", "open"),
        ("started", "data"),
        ("line", "data", "data: 3 rows"),
        ("line", "data", "and nothing else"),
        ("line", "data", "done"),
        ("succeeded", "data"),
        ("started", "sync"),
        ("succeeded", "sync"),
        ("started", "release"),
        ("succeeded", "release"),
        ("started", "run"),
        ("succeeded", "run"),
        ("started", "smoke"),
        ("succeeded", "smoke"),
        ("started", "promote"),
        ("succeeded", "promote"),
    ]
    assert (len(scene.paused_s), max(scene.paused_s) <= 5) == (4, True)


def test_a_step_has_begun_when_it_writes_though_cloud_build_tells_of_steps_at_the_end_only(scene: Scene) -> None:
    _, told = watch(
        scene,
        {"status": "WORKING"},
        {"say": [("data", "reading"), ("elsewhere", "a line")]},
        {"say": [("data", "done")]},
        {"status": "SUCCESS", "steps": {"data": ("SUCCESS", 0)}},
    )
    assert told == [
        ("started", "data"),
        ("line", "data", "reading"),
        ("line", "elsewhere", "a line"),
        ("line", "data", "done"),
        ("succeeded", "data"),
    ]


def test_the_lines_that_came_with_the_end_are_told(scene: Scene) -> None:
    _, told = watch(scene, {"status": "FAILURE", "steps": {"open": ("FAILURE", 1)}, "say": [("open", "no space")]})
    assert told == [("started", "open"), ("failed", "open", "status 1"), ("line", "open", "no space")]


def test_a_log_that_cannot_be_read_is_told_once_and_ends_nothing(scene: Scene) -> None:
    scene.stand_in.faults.add(Fault(r"logging\.entries\.list", "denied", times=4))
    build, told = watch(scene, *GOES_WELL)
    assert build["status"] == "SUCCESS"
    lines = [text for kind, name, *text in told if kind == "line" and name == "log"]
    assert lines == [
        [
            "Google Cloud: cannot read the log in Cloud Logging: Permission 'logging.entries.list' denied on resource "
            "'//logging.googleapis.com/logging/v2/entries:list' (or it may not exist)."
        ]
    ]
    assert ("line", "data", "done") in told


@pytest.mark.parametrize("kind", ["unavailable", "busy", "reset", "lost"])
def test_a_cloud_build_that_does_not_answer_for_a_while_ends_nothing(scene: Scene, kind: Any) -> None:
    scene.api = Api("demo-project", "europe-west1", scene.environ, environment="dev", retry_s=0.0, pause=lambda s: None)
    scene.stand_in.faults.add(Fault(GET, kind, times=3, skip=1))
    build, told = watch(scene, *GOES_WELL)
    assert build["status"] == "SUCCESS"
    assert ("succeeded", "promote") in told
    assert len(scene.paused_s) == (7 if kind != "lost" else 4)


def test_a_login_that_expires_meanwhile_ends_the_watching(scene: Scene) -> None:
    scene.stand_in.faults.add(Fault(GET, "expired", skip=1, times=2))
    with pytest.raises(GoogleError, match="cannot see the build: Request had invalid authentication credentials"):
        watch(scene, *GOES_WELL)


def test_a_step_that_failed_is_named_and_gives_the_exit_code(scene: Scene) -> None:
    steps = {"open": ("SUCCESS", 0), "data": ("FAILURE", 9), "sync": ("CANCELLED", None)}
    error = verdict(scene, status="FAILURE", steps=steps, statusDetail="Build failed; check build logs for details")
    assert str(error) == f"build {BUILD}: failure.\nStep data left with status 9.{ENDING}"
    assert error.exit_code == 9


def test_steps_that_were_ended_with_another_do_not_count_as_failed(scene: Scene) -> None:
    _, told = watch(
        scene,
        {"status": "WORKING", "steps": {"open": ("WORKING", None)}},
        {"status": "FAILURE", "steps": {"open": ("FAILURE", 2), "data": ("CANCELLED", None)}},
    )
    assert told == [("started", "open"), ("failed", "open", "status 2"), ("cancelled", "data")]


def test_a_model_that_missed_the_gate_gives_its_own_exit_code(scene: Scene) -> None:
    error = verdict(scene, status="FAILURE", steps={"run": ("FAILURE", NotBlessedError.exit_code)})
    assert error.exit_code == 10


def test_a_step_that_took_too_long_is_told_so(scene: Scene) -> None:
    error = verdict(scene, status="TIMEOUT", steps={"run": ("TIMEOUT", None)})
    assert str(error) == f"build {BUILD}: timeout.\nStep run took too long.{ENDING}"
    assert error.exit_code == BuildError.exit_code


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ({"status": "TIMEOUT", "statusDetail": "the build took longer than 7200s"}, "timeout.\nthe build took longer"),
        ({"status": "CANCELLED"}, "cancelled.\nIts log"),
        ({"status": "EXPIRED", "statusDetail": "waited in the queue for 3600s"}, "expired.\nwaited in the queue"),
        (
            {"status": "INTERNAL_ERROR", "failureInfo": {"type": "FETCH_SOURCE_FAILED", "detail": "no such object"}},
            "internal error.\nno such object\n",
        ),
        ({"status": "INTERNAL_ERROR", "statusDetail": "no machine"}, "internal error.\nno machine\n"),
    ],
)
def test_a_build_that_ended_without_a_step_of_its_own_is_told_with_why(
    scene: Scene, ended: Dict[str, Any], said: str
) -> None:
    error = verdict(scene, **ended)
    assert str(error).startswith(f"build {BUILD}: {said}")
    assert str(error).endswith(ENDING)
    assert error.exit_code == BuildError.exit_code
