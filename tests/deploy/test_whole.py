"""Deploys to Google Cloud from the command to the endpoint, on stand-ins and real servers; only the run is made up."""

import gzip
import re
import secrets
from pathlib import Path
from typing import Iterator, List

import pytest

from esteira.errors import BuildError, LeaseError, PlanError
from esteira.git import git
from esteira.local.cloud.faults import Fault
from esteira.release.history import current_release, read_pointer
from esteira.release.lease import read_lease
from esteira.settings import load_settings
from tests.conftest import REPOSITORY
from tests.deploy.whole import Whole, whole_project
from tests.release.test_lease import wait_until
from tests.repositories import commit_all

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]

# Not written down, as this file is in the source of what it deploys.
SECRET = secrets.token_hex(16)
ROWS = "text,label\n" + "".join(
    f"film {number} is {word},{label}\n"
    for number in range(60)
    for word, label in (("good", "positive"), ("bad", "negative"))
)
JOB = "aiplatform.projects.locations.pipelineJobs.create"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """A project that nothing was deployed to, and a repository with what a person has lying around."""
    folder = tmp_path_factory.mktemp("whole")
    with whole_project(load_settings(REPOSITORY, {"ESTEIRA_STATE": str(folder / "local")}, {}), folder) as served:
        served.environ.update(DATABASE_PASSWORD=SECRET, GITHUB_TOKEN=SECRET, ESTEIRA_DATA_FILE="mine.csv")
        (served.root / ".env").write_text(f"TOKEN={SECRET}\n")
        with (served.root / ".git" / "info" / "exclude").open("a", encoding="utf-8") as stream:
            stream.write("/.env\n/mine.csv\n")
        (served.root / "mine.csv").write_text(ROWS)
        yield served


@pytest.fixture
def deployed(whole: Whole) -> Whole:
    """The same once something is deployed to it, whichever test comes first."""
    if not whole.project.builds.known:
        for task in ("cloud-apply", "deploy"):
            ended = whole.run(task, YES="1")
            assert ended.code == 0, ended.text
    return whole


@pytest.fixture(autouse=True)
def nothing_goes_on(whole: Whole) -> Iterator[None]:
    """What a test has begun ends with it, so that the next one waits for nothing, though this one has failed."""
    yield
    whole.end_all()


def archives(whole: Whole) -> List[bytes]:
    """Return the sources that were uploaded, unpacked."""
    names = [entry.name for entry in whole.store.list("sources") if entry.name.endswith(".tgz")]
    stored = [whole.store.read(name) for name in names]
    return [gzip.decompress(found.content) for found in stored if found]


def change_modules(whole: Whole, text: str) -> None:
    with (whole.root / "modules" / "model.py").open("a", encoding="utf-8") as stream:
        stream.write(f"\n# {text}\n")
    commit_all(whole.root, text)


def test_a_deploy_is_served_changed_held_back_and_rolled_back(whole: Whole, tmp_path: Path) -> None:
    builds, store = whole.project.builds, whole.store

    applied = whole.run("cloud-apply", YES="1")
    assert applied.code == 0, applied.text
    assert whole.run("status", FORMAT="word").text == "none\n"

    full = whole.run("deploy")
    assert full.code == 0, full.text
    first = current_release(store)
    assert first is not None
    (build,) = builds.known.values()
    assert (build["status"], first.build, first.kind) == ("SUCCESS", build["id"], "full")
    assert f"A full deploy to dev has begun: build {build['id']}\n" in full.text
    assert f"\nDeployed release {first.id} to dev\n" in full.text
    assert "(negative 60, positive 60); dropped 0 blank and 0 repeated\n" in full.text
    assert [step["status"] for step in build["steps"]] == ["SUCCESS"] * 9
    assert (whole.traffic(), len(whole.runs), read_lease(store)) == ({first.id: 100}, 1, None)
    assert whole.run("status", FORMAT="word").text == "served\n"

    again = whole.run("deploy")
    assert again.text == "Nothing to deploy: what is here is what is served in dev.\n"
    assert len(builds.known) == 1

    change_modules(whole, "another model")
    partial = whole.run("deploy-partial", WAIT="0")
    assert partial.code == 0, partial.text
    assert partial.text.endswith("\nTo see how it goes: make status ENV=dev\n")
    # From another machine.
    seen = whole.run("status", STATE=str(tmp_path / "elsewhere"))
    facts = rf"\(make deploy-partial ENV=dev, since .* UTC, build {list(builds.known)[-1]}"
    assert re.match(rf"deploying  \S+ {facts}", seen.text)
    whole.wait()
    second = current_release(store)
    assert second is not None
    assert (second.kind, second.parent, second.parts["job"]) == ("partial", first.id, first.parts["job"])
    assert (whole.traffic(), len(whole.runs)) == ({first.id: 0, second.id: 100}, 2)
    assert whole.run("status", FORMAT="word", STATE=str(tmp_path / "elsewhere")).text == "served\n"

    change_modules(whole, "a worse model")
    whole.blessed = False
    held_back = whole.run("deploy-partial")
    assert held_back.code == 10
    assert "Step run left with status 10.\n" in held_back.text
    assert whole.run("status", FORMAT="word").text == "not blessed\n"
    assert (whole.traffic(), read_pointer(store).release) == ({first.id: 0, second.id: 100}, second.id)
    logs = whole.run("logs")
    assert "\nrun: macro_f1" in logs.text

    back = whole.run("rollback")
    assert back.code == 0, back.text
    assert back.text.endswith(
        '\nNext:\n  make predict ENV=dev TEXT="I love this film"\n  make serve ENV=dev\n  make releases ENV=dev\n'
    )
    restored = current_release(store)
    assert restored is not None
    assert (restored.kind, restored.restores, restored.parent) == ("rollback", first.id, second.id)
    assert whole.traffic() == {first.id: 100, second.id: 0}
    seen = whole.run("status", STATE=str(tmp_path / "elsewhere"))
    assert re.search(r"^last       make rollback ENV=dev at \S+Z: succeeded$", seen.text, re.MULTILINE)
    assert whole.run("status", FORMAT="word", STATE=str(tmp_path / "elsewhere")).text == "served\n"

    calls = [call for call in whole.project.stand_in.calls if SECRET.encode() in call.content + call.path.encode()]
    assert calls == []
    assert not any(SECRET.encode() in content for content in archives(whole))
    assert len(archives(whole)) == 3
    printed = [ended.text for ended in (full, partial, held_back, logs, back)]
    logged = [entry["textPayload"] for entry in whole.project.logs.entries]
    assert not any(SECRET in text for text in (*printed, *logged))
    assert len([entry for entry in store.list("sources") if entry.name.endswith("/data.csv")]) == 1
    assert len(whole.project.stand_in.called(JOB)) == 3


def begin_stuck(whole: Whole, text: str) -> str:
    """Deploy what has no end until somebody ends it, once its run has begun; return its build."""
    change_modules(whole, text)
    whole.blessed, whole.stuck, before = True, True, len(whole.runs)
    begun = whole.run("deploy-partial", WAIT="0")
    assert begun.code == 0, begun.text
    wait_until(lambda: len(whole.runs) > before)
    return list(whole.project.builds.known)[-1]


def end_stuck(whole: Whole, build: str) -> None:
    """Cancel a deploy, as anybody may."""
    run = whole.runs[-1]
    assert whole.run("cancel").text == f"cancelled build {build}\nrun {run}: cancelled\n"
    whole.wait()
    assert whole.project.builds.known[build]["status"] == "CANCELLED"
    assert whole.run("cancel").text == f"build {build} is over: cancelled\nrun {run}: cancelled\n"
    whole.stuck = False


def test_a_deploy_that_runs_keeps_others_waiting_until_it_is_cancelled(deployed: Whole) -> None:
    whole = deployed
    served = read_pointer(whole.store).release
    build = begin_stuck(whole, "without an end")
    wait_until(lambda: f"build {build}, step run)" in whole.run("status").text)
    waiting = whole.run("deploy", DEPLOY_WAIT_S="1")
    assert waiting.code == LeaseError.exit_code
    facts = rf"\(make deploy-partial, since .* UTC, build {build}, step run\)"
    assert re.search(rf"^waiting for \S+ {facts} …$", waiting.text, re.MULTILINE)
    assert waiting.text.endswith("If it hangs, end it: make cancel ENV=dev\n")
    end_stuck(whole, build)
    assert whole.run("status", FORMAT="word").text == "interrupted\n"
    assert read_pointer(whole.store).release == served
    after = whole.run("deploy")
    assert after.code == 0, after.text
    assert (whole.run("status", FORMAT="word").text, read_lease(whole.store)) == ("served\n", None)


def test_pushes_queue_and_an_older_commit_that_comes_last_is_refused(deployed: Whole, tmp_path: Path) -> None:
    whole = deployed
    running = begin_stuck(whole, "the one that runs")
    change_modules(whole, "the older push")
    older = tmp_path / "older"
    git(tmp_path, "clone", "--quiet", str(whole.root), str(older))
    change_modules(whole, "the newer push")
    before = len(whole.runs)
    with whole.start("deploy") as newer:
        assert f", build {running}" in newer.told("waiting for ")
        assert whole.run("cancel").text.startswith(f"cancelled build {running}\n")
        wait_until(lambda: len(whole.runs) > before)
        build = list(whole.project.builds.known)[-1]
        also = {"STATE": str(tmp_path / "state"), "DATA_FILE": str(whole.root / "mine.csv")}
        with whole.start("deploy", root=older, **also) as last:
            assert f", build {build}" in last.told("waiting for ")
            whole.stuck = False
            done, refused = newer.ended(), last.ended()
    served = current_release(whole.store)
    assert (done.code, served and served.build) == (0, build), done.text
    commit = git(older, "rev-parse", "HEAD")[:7]
    assert f"commit {commit} is older than what release {served and served.id} was made of" in refused.text
    assert refused.code == PlanError.exit_code
    assert list(whole.project.builds.known)[-1] == build
    assert whole.run("status", FORMAT="word").text == "served\n"


def test_ctrl_c_ends_the_watching_alone(deployed: Whole) -> None:
    whole = deployed
    change_modules(whole, "watched for a while")
    whole.stuck = True
    with whole.start("deploy") as watching:
        watching.told("… open")
        watching.interrupt()
        code, text = watching.ended()
    (build,) = [build["id"] for build in whole.project.builds.known.values() if build["status"] == "WORKING"]
    assert text.endswith(
        f"The build {build} goes on in Google Cloud.\n"
        "To see how it goes: make status ENV=dev    To end it: make cancel ENV=dev\n"
    )
    assert code == 130
    whole.stuck = False
    whole.wait()
    assert whole.project.builds.known[build]["status"] == "SUCCESS"
    assert whole.run("status", FORMAT="word").text == "served\n"


def test_a_build_that_is_refused_leaves_nothing_held(deployed: Whole) -> None:
    whole = deployed
    change_modules(whole, "refused")
    builds = len(whole.project.builds.known)
    whole.project.stand_in.faults.add(Fault(r"cloudbuild\..*\.create", "denied"))
    refused = whole.run("deploy")
    assert refused.code == 21
    assert "Cloud Build does not take the build.\nERROR: (gcloud.builds.submit) PERMISSION_DENIED: " in refused.text
    assert refused.text.endswith("See what is missing: make doctor ENV=dev\n")
    assert (read_lease(whole.store), len(whole.project.builds.known)) == (None, builds)
    assert not any(path.is_dir() for path in (whole.settings.state / "submissions").iterdir())
    assert whole.run("status", FORMAT="word").text == "served\n"


def test_too_many_settings_are_refused_before_anything_is_uploaded(deployed: Whole) -> None:
    whole = deployed
    (whole.root / "mine.csv").write_text(ROWS + "a film is as it is,positive\n")
    before = [entry.name for entry in whole.store.list("sources")]
    refused = whole.run("deploy", DATA_TEXT_COLUMN="x" * 5000)
    assert refused.code == BuildError.exit_code
    assert "_SETTINGS: has " in refused.text
    assert [entry.name for entry in whole.store.list("sources")] == before
