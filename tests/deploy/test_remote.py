"""What is handed to Cloud Build: the archive, the substitutions, and the CSV of one's own."""

import gzip
import json
import shutil
import tarfile
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Dict, Iterator, List, Optional

import pytest

from esteira.builds.archive import write_archive
from esteira.builds.submit import Submitted
from esteira.cache import scratch_in
from esteira.deploy.hold import held
from esteira.deploy.planned import Planned, planned
from esteira.deploy.remote import ARCHIVE, SUBMISSIONS, Remote, finish_last, hand_in, leave_to_build, substitutions
from esteira.deploy.submission import keep_submission, read_submission
from esteira.errors import BuildError, GoogleError
from esteira.local.cloud.endpoints import Endpoints
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.pipelines import Pipelines
from esteira.local.cloud.project import nothing_starts
from esteira.local.cloud.schedules import Schedules
from esteira.local.cloud.schedules import handlers as vertex_schedules
from esteira.release.history import keep_release, make_current
from esteira.release.lease import read_lease
from esteira.release.lease_object import LEASE
from esteira.release.order import Order
from esteira.release.store import Store, open_store
from esteira.release.store.folder import FolderStore
from tests.builds.scene import SUBSTITUTIONS, Scene
from tests.conftest import REPOSITORY
from tests.deploy.test_submission import ORDER
from tests.repositories import make_repository, write
from tests.vertex.scripted import RELEASE, bound_job, release_of

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

ROWS = "text,label\nI love it,1\nI hate it,0\n"
FOLDERS = ("cloudbuild", "docker", "modules", "pipeline")


@pytest.fixture
def remote(scene: Scene, tmp_path: Path) -> Remote:
    """Somebody in a small repository with what a deploy reads."""
    files = {"esteira.toml": "", "data.csv": ROWS, ".gitignore": "/private/\n__pycache__/\n"}
    root = make_repository(tmp_path / "root", files)
    for name in FOLDERS:
        shutil.copytree(str(REPOSITORY / name), str(root / name), ignore=shutil.ignore_patterns("__pycache__"))
    write(root / "private" / "data.csv", ROWS)
    write(root / "private" / "key.json", "{}")
    scene.settings = scene.settings.copy(update={"root": root})
    return Remote(scene.settings, scene.api, open_store(scene.settings), print)


def training_on(remote: Remote, file: str) -> Remote:
    data = remote.settings.data.copy(update={"file": file})
    return Remote(remote.settings.copy(update={"data": data}), remote.api, remote.store, remote.say)


def order(work: Planned) -> Order:
    return work.order("full", asked_by="asked for: make deploy", force=False, lease="0a1b2c3d")


def given(remote: Remote, overrides: Dict[str, str]) -> Dict[str, str]:
    with planned(remote.settings, remote.store) as work:
        return substitutions(remote.settings, order(work), overrides, work, SUBSTITUTIONS["_BUILDER"])


def handed_in(remote: Remote, **values: str) -> Submitted:
    with planned(remote.settings, remote.store) as work, scratch_in(remote.settings.state, SUBMISSIONS) as folder:
        write_archive(work.source, folder / ARCHIVE)
        return hand_in(remote, work, order(work), folder, {**SUBSTITUTIONS, **values})


def laid_csvs(remote: Remote) -> List[str]:
    return [entry.name for entry in remote.store.list("sources/csv")]


def archived(remote: Remote) -> Iterator[str]:
    """Yield the names of what the one source holds that was uploaded."""
    (name,) = [entry.name for entry in remote.store.list("sources") if entry.name.endswith(".tgz")]
    stored = remote.store.read(name)
    assert stored is not None
    with tarfile.open(fileobj=BytesIO(gzip.decompress(stored.content))) as archive:
        yield from archive.getnames()


def test_the_substitutions_are_the_order_and_what_it_needs(remote: Remote) -> None:
    with planned(remote.settings, remote.store) as work:
        expected = order(work)
    told = given(remote, {"training.epochs": "3"})
    plan = Order.parse_raw(told.pop("_PLAN"))
    assert plan.copy(update={"at": expected.at}) == expected
    assert told.pop("_BASE").startswith("docker.io/library/python@sha256:")
    assert told == {
        "_BUILDER": SUBSTITUTIONS["_BUILDER"],
        "_DEPLOY": "0a1b2c3d",
        "_FOLLOWS": "none",
        "_ENV": "dev",
        "_SETTINGS": '{"training.epochs": "3"}',
    }
    assert given(remote, {})["_SETTINGS"] == ""


@pytest.mark.parametrize(("file", "told"), [("data.csv", {}), ("private/data.csv", {"data.file": "build/data.csv"})])
def test_steps_are_told_where_a_csv_lies_that_is_not_in_the_source(
    remote: Remote, file: str, told: Dict[str, str]
) -> None:
    settings = given(training_on(remote, file), {"data.file": file})["_SETTINGS"]
    assert json.loads(settings) == {"data.file": file, **told}


def test_what_is_handed_in_is_the_source_and_nothing_that_lies_around(scene: Scene, remote: Remote) -> None:
    build = handed_in(remote)
    assert list(scene.builds.known) == [build.id]
    names = list(archived(remote))
    assert {"esteira.toml", "cloudbuild/full.yaml.j2", "modules/model.py"} <= set(names)
    assert [name for name in names if name.startswith(("private", ".git/"))] == []
    assert laid_csvs(remote) == []


def test_a_csv_that_is_not_in_the_source_is_laid_down_once(remote: Remote) -> None:
    own = training_on(remote, "private/data.csv")
    handed_in(own)
    (name,) = laid_csvs(remote)
    with planned(own.settings, own.store) as work:
        assert name == f"sources/csv/{order(work).csv.partition(':')[2]}/data.csv"
    assert "private/data.csv" not in list(archived(remote))


def test_a_value_that_is_too_long_is_refused_before_anything_is_uploaded(scene: Scene, remote: Remote) -> None:
    with pytest.raises(BuildError, match="_PLAN: has 4,001 characters; Cloud Build takes 4,000"):
        handed_in(training_on(remote, "private/data.csv"), _PLAN="x" * 4001)
    assert remote.store.list("sources") == []
    assert [call for call in scene.stand_in.calls if call.http != "GET"] == []


def test_a_build_that_is_refused_leaves_nothing(scene: Scene, remote: Remote) -> None:
    scene.stand_in.faults.add(Fault(r"cloudbuild\..*\.create", "denied"))
    with pytest.raises(GoogleError, match="PERMISSION_DENIED"):
        handed_in(remote)
    assert scene.builds.known == {}
    assert not any(path.is_dir() for path in (remote.settings.state / SUBMISSIONS).iterdir())


@pytest.mark.parametrize(("status", "made"), [("FAILURE", 1), ("TIMEOUT", 1), ("SUCCESS", 0)])
def test_what_a_failed_build_left_to_do_after_its_promotion_is_done_by_the_next_deploy(
    scene: Scene, remote: Remote, status: str, made: int
) -> None:
    schedules = Schedules(Pipelines(lambda job: iter(())))
    scene.stand_in.add({**vertex_schedules(schedules), **Endpoints(nothing_starts).handlers()})
    cloud = remote.settings.cloud.copy(update={"schedule": "0 6 * * *"})
    remote = Remote(remote.settings.copy(update={"cloud": cloud}), remote.api, remote.store, print)
    build = scene.add_build(status=status)
    with planned(remote.settings, remote.store) as work:
        keep_submission(remote.store, order(work), Submitted(build, "https://page"), "make deploy")
    finish_last(remote)  # before anything was promoted
    keep_release(remote.store, release_of().copy(update={"build": build}))
    job = bound_job()
    job["runtimeConfig"]["gcsOutputDirectory"] = f"{remote.settings.bucket}/root"
    remote.store.write(f"releases/{RELEASE}/job.json", json.dumps(job).encode())
    make_current(remote.store, RELEASE, if_generation=0)
    # No model is deployed here, so that no request can be logged: the schedule is set all the same.
    unproven = pytest.raises(GoogleError, match="is promoted, and serves. But its request log is not proven to work: ")
    for _ in range(2):
        with unproven if made else nullcontext():
            finish_last(remote)
    assert len(schedules.schedules) == made


class Dying(FolderStore):
    """A store whose writer is killed at a name."""

    def __init__(self, folder: Path, at: str) -> None:
        super().__init__(folder)
        self.at = at

    def write(self, name: str, content: bytes, *, if_generation: Optional[int] = None) -> int:
        if name == self.at and b"b-2" in content:
            raise SystemExit
        return super().write(name, content, if_generation=if_generation)


def left_by(remote: Remote, tmp_path: Path, at: str) -> Store:
    """Submit a second build, and be killed at a name before it is written; return what is in the store then."""
    store = Dying(tmp_path / "store", at)
    keep_submission(store, ORDER, Submitted("b-1", "https://page/1"), "make deploy")
    dying = Remote(remote.settings, remote.api, store, print)
    with pytest.raises(SystemExit), held(remote.settings, store, "make deploy", print) as lease:
        leave_to_build(dying, lease, ORDER, Submitted("b-2", "https://page/2"), "make deploy")
    return FolderStore(tmp_path / "store")


def test_who_dies_before_the_hand_over_has_told_which_build_it_was(remote: Remote, tmp_path: Path) -> None:
    submission = read_submission(left_by(remote, tmp_path, LEASE))
    assert submission is not None
    assert submission.build == "b-2"


def test_a_build_has_the_lease_though_it_could_not_be_kept(remote: Remote, tmp_path: Path) -> None:
    lease = read_lease(left_by(remote, tmp_path, "deploy.json"))
    assert lease is not None
    assert lease.build == "b-2"
