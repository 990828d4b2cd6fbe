"""What a folder's store does on its own; test_store.py holds what all stores do."""

import os
import resource
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, List

import pytest

from esteira.errors import StateError
from esteira.release.store.folder import COARSEST_NS, EPOCH_S, FolderStore
from esteira.release.store.interface import ABSENT, Entry
from esteira.release.store.scratch import Scratch
from tests.release.other_process import start


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.csv"
    path.write_text("a,b\n")
    return path


def test_files_get_equal_modes_and_times(store: FolderStore, source: Path) -> None:
    source.chmod(0o600)
    store.lay_down("data/0a1b", [("below/file.csv", source)])
    laid = Path(store.uri, "data/0a1b/below/file.csv")
    assert laid.read_text() == "a,b\n"
    assert (laid.stat().st_mtime, laid.stat().st_mode & 0o777) == (EPOCH_S, 0o644)


def test_a_file_that_was_copied_without_its_time_is_compared(store: FolderStore, source: Path) -> None:
    store.lay_down("data/0a1b", [("file.csv", source)])
    Path(store.uri, "data/0a1b/file.csv").touch()
    store.lay_down("data/0a1b", [("file.csv", source)])
    Path(store.uri, "data/0a1b/file.csv").write_text("b,a\n")
    with pytest.raises(StateError, match="somebody changed it"):
        store.lay_down("data/0a1b", [("file.csv", source)])


def test_a_failure_leaves_nothing(store: FolderStore, source: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StateError, match="folder: cannot read: Is a directory"):
        store.lay_down("data/0a1b", [("one", source), ("two", tmp_path / "folder")])
    assert files_below(Path(store.uri)) == []


def test_nothing_is_made_before_the_first_write(store: FolderStore) -> None:
    assert store.read("current") is None
    assert store.list("") == []
    store.delete(["current"])
    assert not Path(store.uri).exists()


def test_removing_leaves_no_empty_folder(store: FolderStore) -> None:
    store.write("data/0a1b/below/one", b"1")
    store.write("data/2c3d/two", b"2")
    store.delete(["data/0a1b/below/one"])
    assert os.listdir(Path(store.uri, "data")) == ["2c3d"]


@pytest.mark.programs
def test_what_killed_writers_left_is_removed(store: FolderStore, source: Path, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    os.mkfifo(tmp_path / "files" / "pipe")
    writer = start("lay", store, "data/0a1b", str(tmp_path / "files"))
    with (tmp_path / "files" / "pipe").open("wb"):
        store.lay_down("data/2c3d", [("one", source)])
        assert len(unfinished(store)) == 1  # its writer is alive
        writer.kill()
        writer.communicate()
    store.lay_down("data/4e5f", [("one", source)])
    assert unfinished(store) == []
    assert [entry.name for entry in store.list("")] == ["data/2c3d/one", "data/4e5f/one"]


def test_generations_rise_where_times_are_coarse(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    set_time = os.utime

    def in_steps(path: Path, ns: "tuple[int, int]") -> None:
        set_time(path, ns=(ns[0] // COARSEST_NS * COARSEST_NS,) * 2)

    monkeypatch.setattr(os, "utime", in_steps)
    first = store.write("current", b"one", if_generation=ABSENT)
    second = store.write("current", b"two", if_generation=first)
    assert store.write("current", b"three", if_generation=second) > second > first


def test_generations_rise_though_the_clock_is_put_back(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = store.write("current", b"one")
    monkeypatch.setattr("esteira.release.store.folder.time.time_ns", lambda: first - 10**12)
    assert store.write("current", b"two") > first


def test_a_folder_that_cannot_be_written_is_told(source: Path) -> None:
    store = FolderStore(Path("/proc/store"))
    calls: List[Callable[[], object]] = [
        lambda: store.write("current", b""),
        lambda: store.lay_down("data/0a1b", [("one", source)]),
    ]
    for call in calls:
        with pytest.raises(StateError, match=r"^/proc/store.*: cannot write: No such file (?s:.*)Free some space"):
            call()


@contextmanager
def full_disk() -> Iterator[None]:
    """Have the kernel refuse to write over 10 kB into a file, as it refuses it on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_up_leaves_what_was_there(store: FolderStore, source: Path, tmp_path: Path) -> None:
    generation = store.write("current", b"one")
    (tmp_path / "large").write_bytes(b"x" * 20_000)
    with full_disk(), pytest.raises(StateError, match="cannot write: File too large"):
        store.write("current", b"x" * 20_000, if_generation=generation)
    with full_disk(), pytest.raises(StateError, match="cannot write: File too large"):
        store.lay_down("data/0a1b", [("large", tmp_path / "large"), ("small", source)])
    assert store.list("") == [Entry("current", 3)]
    store.write("current", b"two", if_generation=generation)
    store.lay_down("data/0a1b", [("large", tmp_path / "large"), ("small", source)])


def test_a_writer_that_does_not_go_on_is_told(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esteira.release.store.scratch.PATIENCE_S", 0.1)
    corner = Path(store.uri, ".new")
    with Scratch(Path(store.uri)).locked(), pytest.raises(StateError) as caught:
        store.write("current", b"")
    assert str(caught.value) == (
        f"{corner}: another process holds it for over 0.1 s. Expected a moment. "
        f"See which one, and let it go on or end it: fuser -v {corner}"
    )


def test_a_store_that_is_removed_is_made_anew(store: FolderStore) -> None:
    store.write("current", b"one")
    shutil.rmtree(store.uri)
    assert store.read("current") is None
    store.write("current", b"two", if_generation=ABSENT)


def files_below(folder: Path) -> List[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def unfinished(store: FolderStore) -> List[Path]:
    return [path for path in Path(store.uri, ".new").iterdir() if path.is_dir()]
