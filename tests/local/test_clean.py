import os
from datetime import timedelta
from pathlib import Path
from typing import Callable

import pytest

from esteira.data.fetch import download_folders
from esteira.deploy.record import recorded
from esteira.errors import LeaseError, StateError
from esteira.files import write_text
from esteira.local.builds.workspace import claim_folder
from esteira.local.clean import clean_state
from esteira.local.jobs.store import Store as MetadataStore
from esteira.monitoring.journal.segments import list_segments
from esteira.monitoring.warehouse.database import place_of
from esteira.release.ancestry import make_history
from esteira.release.collect_local import METADATA
from esteira.release.lease import hold_lease
from esteira.release.lease_object import LEASE, LeaseInfo, now, write_lease
from esteira.release.lineage.picture import FOLDER as PICTURES
from esteira.release.stat_cache import FILE as DIGESTS
from esteira.release.stat_cache import StatCache
from esteira.release.store import open_store
from esteira.settings import Settings, load_settings
from esteira.source.scratch import scratch_folder
from tests.monitoring.logged import opened_log
from tests.repositories import make_repository


def test_only_what_esteira_made_is_removed(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(tmp_path / "root")
    for folder in ("bucket/sentiment", "logs", "builds"):
        (settings.state / folder).mkdir(parents=True)
    for name in ("metadata.sqlite", "metadata.sqlite-wal", "thesis.tex"):
        (settings.state / name).write_text("")
    removed = {path.name for path in clean_state(settings)}
    assert removed == {"bucket", "logs", "builds", "metadata.sqlite", "metadata.sqlite-wal"}
    assert [path.name for path in settings.state.iterdir()] == ["thesis.tex"]


def test_an_empty_state_folder_goes_too(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(tmp_path / "root")
    (settings.state / "logs").mkdir(parents=True)
    clean_state(settings)
    assert not settings.state.exists()
    assert clean_state(settings) == []


def test_a_cloud_environment_has_nothing_here(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    (tmp_path / "esteira.toml").write_text(
        "[environments.dev]\n"
        'project = "my-project"\nregion = "europe-west1"\nbucket = "models"\nrepository = "images"\n'
    )
    with pytest.raises(StateError):
        clean_state(make_settings(tmp_path, env="dev"))


@pytest.mark.programs
def test_nothing_that_esteira_makes_stays(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "root", {"file": ""})
    settings = load_settings(root, {"ESTEIRA_STATE": str(root / ".esteira")}, {})
    state = settings.state
    os.utime(root / "file", (0, 0))
    open_store(settings).write("current", b"")
    make_history(root, state)
    with scratch_folder(root, state), claim_folder(settings, "build"), MetadataStore(state / METADATA):
        (state / "cloudbuild").mkdir()
    with recorded(settings, "make deploy", os.getpid()):
        write_text(state / PICTURES / "picture.html", "")
    cache = StatCache(state / DIGESTS)
    cache.digest(root / "file")
    cache.save()
    for folder in (download_folders(state, {})[0], state / "logs" / "runs"):
        folder.mkdir(parents=True)
    (state / ".deploy.json.k1ll3d").write_text("")
    assert {"deploy.json", "digests.json", ".gitignore", METADATA} < set(os.listdir(state))
    clean_state(settings)
    assert not state.exists()


def lease(holder: str, seconds: float) -> LeaseInfo:
    times = {"since": now(), "until": now() + timedelta(seconds=seconds)}
    machine = "another boot pid:[1]"
    return LeaseInfo(holder=holder, pid=7, started=1, machine=machine, what="make deploy", token="0a", **times)


def test_nothing_is_removed_while_a_deploy_runs(tmp_path: Path, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(tmp_path / "root")
    (settings.state / "logs").mkdir(parents=True)
    # Of another pipeline, such as one before pipeline.name was changed.
    write_lease(open_store(make_settings(tmp_path / "root", pipeline__name="other")), lease("ml@box", 0), 60, 0)
    with pytest.raises(LeaseError) as caught:
        clean_state(settings)
    place, line = str(caught.value).split("\n")
    assert place.startswith(f"{settings.state}/bucket: a deploy needs it: ml@box (make deploy, since ")
    assert line.endswith("run: make clean    If it hangs, end it on box: kill 7")
    assert (settings.state / "logs").is_dir()


def test_nothing_is_removed_while_a_server_writes_to_the_request_log(
    tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(tmp_path / "root")
    (settings.state / "logs").mkdir(parents=True)
    log = opened_log(place_of(settings))
    (path,) = list_segments(place_of(settings).journal)
    with pytest.raises(LeaseError) as caught:
        clean_state(settings)
    assert str(caught.value) == (
        f"{path}: a server writes its requests to it: process {os.getpid()}.\n"
        f"Expected no server to run. End it: kill {os.getpid()}    Then run: make clean"
    )
    assert {one.name for one in settings.state.iterdir()} == {"logs", "warehouse"}
    log.close()
    clean_state(settings)
    assert not settings.state.exists()


def test_a_lease_that_is_over_or_cannot_be_read_keeps_nothing(
    tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(tmp_path / "root")
    store = open_store(settings)
    with hold_lease(store, what="make deploy", lease_s=60, wait_s=0, report=print):
        pass
    assert clean_state(settings) == [settings.folder.parent]
    write_lease(store, lease("ml@box", 0), -1, 0)
    assert clean_state(settings) == [settings.folder.parent]
    for content in (b"no lease", b'{"holder": 1}', b"\xff"):
        store.write(LEASE, content)
        assert clean_state(settings) == [settings.folder.parent]
