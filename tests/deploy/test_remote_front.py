import pytest

from esteira.deploy.remote import Remote
from esteira.deploy.remote_front import follow
from esteira.deploy.submission import Submission
from esteira.errors import BuildError, GoogleError
from esteira.local.cloud.faults import Fault
from esteira.release.store import open_store
from tests.builds.scene import Scene

pytestmark = [pytest.mark.programs, pytest.mark.loopback]


def submission(build: str) -> Submission:
    known = {"what": "make deploy", "kind": "full", "by": "ml@laptop", "at": "2026-11-22T10:00:01Z"}
    return Submission(build=build, page="https://page", commit="", follows="", **known)


def remote(scene: Scene) -> Remote:
    return Remote(scene.settings, scene.api, open_store(scene.settings), print)


def test_a_build_that_goes_well_is_shown_by_its_steps(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    build = scene.add_build(
        {
            "status": "SUCCESS",
            "steps": {"open": ("SUCCESS", 0), "promote": ("SUCCESS", 0)},
            "say": [("promote", "[bold]release[/] 0123456789ab")],
        }
    )
    follow(remote(scene), submission(build))
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" 0.")[0] for line in lines] == [
        "… open",
        "✓ open: succeeded",
        "… promote",
        "✓ promote: succeeded",
        "promote: [bold]release[/] 0123456789ab",
    ]


def test_a_build_that_failed_ends_the_command_with_the_steps_exit_code(scene: Scene) -> None:
    build = scene.add_build({"status": "FAILURE", "steps": {"run": ("FAILURE", 10)}})
    with pytest.raises(BuildError, match=f"build {build}: failure.\nStep run left with status 10.") as caught:
        follow(remote(scene), submission(build))
    assert caught.value.exit_code == 10


def test_who_cannot_watch_any_more_is_told_that_the_build_goes_on(scene: Scene) -> None:
    scene.stand_in.faults.add(Fault(r"cloudbuild\..*\.get", "expired", times=9))
    build = scene.add_build()
    with pytest.raises(GoogleError) as caught:
        follow(remote(scene), submission(build))
    told = str(caught.value).splitlines()
    assert told[0] == "Google Cloud: cannot see the build: Request had invalid authentication credentials."
    assert told[-2:] == [
        f"The build {build} goes on in Google Cloud.",
        "To see how it goes: make status ENV=dev    To end it: make cancel ENV=dev",
    ]
